/** A day of the library: its own writes, and those of the desk. */
import type { Step } from '../../../src/local/play/step.ts';
import { get } from '../../../src/table/read.ts';
import { writer } from '../../../src/table/write/writer.ts';
import { book } from './book.ts';
import { copy } from './copy.ts';
import { desk, dune, shelved } from './desk.ts';
import { hours } from './hours.ts';
import { loan } from './loan.ts';

let requests = 0;
const by = (actor: string) => ({ actor, request: `day-${++requests}` });

const lent = {
  loanId: 'l1',
  reader: 'ada',
  email: 'ada@example.com',
  title: 'Emma',
  state: 'out',
  renewals: 0,
  due: '2027-02-01',
} as const;

const emma = { isbn: '978-1', title: 'Emma', author: 'Jane Austen', year: 1815 };
const monday = { branch: 'north', day: 'mon', opens: 9, closes: 18 } as const;

export const day: readonly Step[] = [
  {
    title: 'the desk has put a book and two copies, without versions',
    async play(store) {
      await desk(store).put(book, dune());
      for (const number of [1, 2]) await desk(store).put(copy, shelved(number), { note: 'from the desk' });
    },
  },
  {
    title: 'a book, its copy, a loan and the opening hours are added',
    async play(store) {
      await writer(store).create(book, emma, by('librarian'));
      await writer(store).create(copy, shelved(1, { isbn: '978-1' }), by('librarian'));
      await writer(store).create(loan, lent, by('ada'));
      await writer(store).create(hours, monday, by('librarian'));
    },
  },
  {
    title: 'the loan is renewed and returned, and the hours change',
    async play(store) {
      const write = writer(store);
      await write.add(loan, lent, { renewals: 1 }, by('ada'));
      const renewed = await get(store, loan, lent);
      await write.update(loan, lent, renewed?.version ?? 0, { state: 'back' }, by('librarian'));
      await write.remove(hours, monday, by('librarian'));
      await write.create(hours, { ...monday, closes: 20 }, by('librarian'));
    },
  },
  {
    title: 'the desk moves a copy, and again, and edits what is ours',
    async play(store) {
      await desk(store).put(copy, shelved(1, { shelf: 'B2', lent: 1 }), { note: 'from the desk' });
      await desk(store).put(copy, shelved(1, { shelf: 'B3', lent: 2 }));
      await desk(store).put(book, { ...emma, year: 1816 });
      await desk(store).put(loan, { ...lent, state: 'back', renewals: 7 });
    },
  },
  {
    title: 'the desk throws away a book and a copy',
    async play(store) {
      await desk(store).delete(book, dune());
      await desk(store).delete(copy, shelved(2));
    },
  },
];
