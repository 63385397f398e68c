/** Adoption, switched on for items that never had a version. */
import { afterAll, expect, test } from 'vitest';
import type { Fields } from '../../src/table/entity.ts';
import { writer } from '../../src/table/write/writer.ts';
import { by } from '../support/shop.ts';
import { itemOf } from './item.ts';
import { openOther } from './kit.ts';
import { libraryWith } from './library/app.ts';
import { book } from './library/book.ts';
import { copy } from './library/copy.ts';
import { desk, dune, shelved } from './library/desk.ts';

const world = await openOther(libraryWith('ours'));
afterAll(() => world.stop());

const { store, settle } = world;
const { version, actor } = store.table;
const put = desk(store).put;

const waiting = itemOf(world, copy, shelved(0));
await put(copy, shelved(0));
await settle();
world.deploy(libraryWith('all'));

test('an item gets its version with the first change after the switch, and later writes are exact', async () => {
  expect(await waiting.held()).not.toHaveProperty(version);
  await put(copy, shelved(0, { lent: 1 }));
  await settle();
  const held = await waiting.held();
  expect(held).toMatchObject({ lent: 1, [actor]: 'sluice', [version]: expect.any(Number) });
  await writer(store).update(copy, shelved(0), Number(held[version]), { shelf: 'B1' }, by('librarian'));
  await settle();
  const rows = await waiting.history();
  expect(rows.map((row) => row.actor ?? 'unknown')).toEqual(['unknown', 'unknown', 'sluice', 'librarian']);
  expect(rows.map(({ exact }) => exact)).toEqual([false, false, true, true]);
  expect(waiting.events()).toEqual([
    { name: 'CopyAdded', exact: false },
    { name: 'CopyLent', exact: false },
  ]);
  expect(waiting.writes()).toBe(4);
});

test('each whole put of the other program drops the version, and is adopted again, once', async () => {
  const item = itemOf(world, book, dune());
  let last = 0;
  for (const year of [1965, 1966, 1967]) {
    await put(book, dune({ year }));
    await settle();
    const at = Number((await item.held())[version]);
    expect(at).toBeGreaterThan(last);
    expect(await item.document()).toEqual({ version: at, source: dune({ year }) });
    last = at;
  }
  expect(item.writes()).toBe(6);
});

test('many puts at once end in one version, and nothing goes on writing', async () => {
  const item = itemOf(world, copy, shelved(1));
  const puts = Array.from({ length: 12 }, (_, lent) => lent);
  for (const lent of puts) await put(copy, shelved(1, { lent }));
  await settle();
  expect(await item.held()).toMatchObject({ lent: 11, [actor]: 'sluice', [version]: expect.any(Number) });
  const writes = item.writes();
  expect(writes).toBeGreaterThan(puts.length);
  expect(writes).toBeLessThanOrEqual(puts.length * 2);
  await settle();
  expect(item.writes()).toBe(writes);
});

test('all of it again, the newest first, changes nothing', async () => {
  const items = [waiting, itemOf(world, book, dune()), itemOf(world, copy, shelved(1))];
  const state = async (): Promise<unknown[]> => [
    await world.items(),
    world.records().length,
    await Promise.all(items.map(({ history }) => history())),
    await items[1]?.document(),
    items.map(({ events }) => events()),
  ];
  const before = await state();
  await world.replay();
  await world.replay();
  expect(await state()).toEqual(before);
});

test('an item that others delete and make again gets a version above those it had', async () => {
  const again = dune({ isbn: '978-3' });
  const item = itemOf(world, book, again);
  await put(book, again);
  await settle();
  const first = Number((await item.held())[version]);
  await desk(store).delete(book, again);
  await settle();
  expect((await item.document())?.source).toEqual({ sluiceRemovedAt: expect.any(String) });
  await put(book, again);
  await settle();
  const second = Number((await item.held())[version]);
  expect(second).toBeGreaterThan(first + 1);
  expect(await item.document()).toEqual({ version: second, source: again });
  // One more where the clock has gone back in between: then the second is raised above the mark that search holds.
  expect(item.writes() - 5).toBeOneOf([0, 1]);
});

test('a number that the other program keeps in that attribute is left alone', async () => {
  const counted = dune({ isbn: '978-4' });
  const item = itemOf(world, book, counted);
  const counts: Fields[] = [];
  for (const count of [1, 2, 1]) {
    await put(book, { ...counted, year: 1965 + counts.length }, { [version]: count });
    await settle();
    counts.push(await item.held());
    expect((await item.document())?.source).toMatchObject({ year: 1964 + counts.length });
  }
  expect(counts.map((held) => held[version])).toEqual([1, 2, 1]);
  expect(item.writes()).toBe(3);
  expect(world.batches.every(({ failures }) => failures.length === 0)).toBe(true);
});
