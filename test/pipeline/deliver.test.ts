/** How changes get to one sink: planned, coalesced or kept in order, chunked, sent, tried again. */
import type { DynamoDBRecord } from 'aws-lambda';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Reader } from '../../src/pipeline/stream.ts';
import { allTaken, from, openWorld } from '../sinks/world.ts';
import { eventOf } from '../support/records.ts';
import { byItem, is, label, mixed, type Note, type Notebook, no, notebook, writes } from './notebook.ts';

const world = await openWorld();

const take = ({ factory }: Notebook, records: DynamoDBRecord[], reader: Reader = 'project') =>
  world.takeBy({ sinks: [factory] }, reader, eventOf(...records));

const counts = (name = 'audit') => world.batches.at(-1)?.sinks[name];

test('a view is sent the newest of each target, where its first one stood', async () => {
  const newer = (one: Note, other: Note) => (one.version > other.version ? one : other);
  const book = notebook({ kind: 'view', target: byItem, newer });
  expect(await take(book, mixed())).toEqual(allTaken);
  expect(await take(book, mixed().toReversed())).toEqual(allTaken);
  expect(book.calls).toEqual([
    ['a v3', 'b v2'],
    ['b v2', 'a v3'],
  ]);
  expect(counts()).toEqual({ applied: 2, repeated: 0, superseded: 0, failed: 0 });
});

test('when a coalesced request fails, its first change is answered', async () => {
  const records = mixed();
  const book = notebook({ kind: 'view', target: byItem, answer: (note) => no(!is('b v2')(note)) });
  expect(await take(book, records)).toEqual(from(records[0]));
  expect(world.batches.at(-1)?.failures).toHaveLength(3); // all that it stood for
  const other = notebook({
    kind: 'view',
    target: byItem,
    answer: (note) => (is('b v2')(note) ? no(false) : { state: 'applied' }),
  });
  expect(await take(other, records)).toEqual(from(records[1]));
});

test('a log is sent everything, in one call and in order', async () => {
  const book = notebook();
  expect(await take(book, mixed())).toEqual(allTaken);
  expect(book.calls).toEqual([['a v1', 'b v1', 'a v2', 'a v3', 'b v2']]);
});

test('an act is sent one change of each item at a time', async () => {
  const book = notebook({ kind: 'act', target: byItem });
  expect(await take(book, mixed(), 'notify')).toEqual(allTaken);
  expect(book.calls).toEqual([['a v1', 'b v1'], ['a v2', 'b v2'], ['a v3']]);
});

test.each([true, false])(
  'an act sends nothing past a change that failed (to be tried again: %s)',
  async (retryable) => {
    const records = mixed();
    const answer = (note: Note) => (is('a v2')(note) ? no(retryable) : ({ state: 'applied' } as const));
    const book = notebook({ kind: 'act', target: byItem, answer });
    expect(await take(book, records, 'notify')).toEqual(from(records[2]));
    expect(new Set(book.calls.flat())).toEqual(new Set(['a v1', 'b v1', 'a v2', 'b v2']));
    expect(counts()).toMatchObject({ applied: 3, failed: 2 });
  },
);

test('what a reply leaves out at its end has failed, and is sent again', async () => {
  const calls: string[][] = [];
  const book = notebook({
    async send(notes) {
      calls.push(notes.map(label));
      return notes.slice(0, 2).map(() => ({ state: 'applied' }));
    },
  });
  expect(await take(book, mixed())).toEqual(allTaken);
  expect(calls.map(({ length }) => length)).toEqual([5, 3, 1]);
});

test('a reply to nothing at all fails everything, after four tries', async () => {
  let calls = 0;
  const book = notebook({
    async send() {
      calls++;
      return [];
    },
  });
  const records = mixed();
  expect(await take(book, records)).toEqual(from(records[0]));
  expect(calls).toBe(4);
});

test('what may pass is tried four times, what may not once, and nothing that went through again', async () => {
  const answer = (note: Note) =>
    is('a v2')(note) ? no(true) : is('b v1')(note) ? no(false) : ({ state: 'applied' } as const);
  const book = notebook({ answer });
  const records = mixed();
  expect(await take(book, records)).toEqual(from(records[1]));
  expect(book.calls).toEqual([['a v1', 'b v1', 'a v2', 'a v3', 'b v2'], ['a v2'], ['a v2'], ['a v2']]);
  expect(counts()).toMatchObject({ applied: 3, failed: 2 });
});

test('a call that throws fails what it held, and the next calls go on', async () => {
  const calls: string[][] = [];
  const book = notebook({
    limits: { count: 2, bytes: 100 },
    async send(notes) {
      calls.push(notes.map(label));
      if (notes.some(is('a v1'))) throw new Error('gone');
      return notes.map(() => ({ state: 'applied' }));
    },
  });
  const records = mixed();
  expect(await take(book, records)).toEqual(from(records[0]));
  expect(calls.slice(0, 3)).toEqual([['a v1', 'b v1'], ['a v2', 'a v3'], ['b v2']]);
  expect(calls.slice(3)).toEqual([
    ['a v1', 'b v1'],
    ['a v1', 'b v1'],
    ['a v1', 'b v1'],
  ]);
  expect(world.batches.at(-1)?.failures[0]?.reason).toContain('Error: gone');
});

test('a request that no call can hold is refused unsent, and its neighbours go through', async () => {
  const book = notebook({ limits: { count: 10, bytes: 5 } });
  const records = writes('a', 3, (at) => (at === 2 ? 6 : 1));
  expect(await take(book, records)).toEqual(from(records[1]));
  expect(book.calls).toEqual([['a v1'], ['a v3']]);
  expect(world.batches.at(-1)?.failures[0]?.reason).toContain('more than the 5 bytes');
});

test('calls keep to the limits and to the order, and none is smaller than it must be', async () => {
  const plan = fc.record({
    sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 }),
    count: fc.integer({ min: 1, max: 6 }),
    bytes: fc.integer({ min: 9, max: 30 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ sizes, count, bytes }) => {
      const book = notebook({ limits: { count, bytes } });
      const records = writes('a', sizes.length, (at) => sizes[at - 1] ?? 1);
      expect(await take(book, records)).toEqual(allTaken);
      expect(book.calls.flat()).toEqual(sizes.map((_, index) => `a v${index + 1}`));
      const weights = book.calls.map((call) => call.map((text) => sizes[Number(text.slice(3)) - 1] ?? 0));
      const sum = (parts: number[]) => parts.reduce((all, part) => all + part, 0);
      for (const [index, call] of weights.entries()) {
        expect(call.length <= count && sum(call) <= bytes).toBe(true);
        const next = weights[index + 1]?.[0];
        if (next !== undefined) expect(call.length === count || sum(call) + next > bytes).toBe(true);
      }
    }),
  );
});
