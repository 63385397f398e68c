/** How changes get to one sink: planned, coalesced or kept in order, chunked, sent, tried again, parked. */
import type { DynamoDBRecord } from 'aws-lambda';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Sink } from '../../src/pipeline/sink.ts';
import type { Reader } from '../../src/pipeline/stream.ts';
import { version } from '../sinks/items.ts';
import { type Conduct, json, type Seen } from '../sinks/proxy.ts';
import { allTaken, from, nothing, openWorld } from '../sinks/world.ts';
import { eventOf } from '../support/records.ts';
import {
  byItem,
  is,
  itemOf,
  label,
  mixed,
  type Note,
  type Notebook,
  no,
  notebook,
  parkedOf,
  writes,
} from './notebook.ts';

const world = await openWorld();

const take = ({ factory }: Notebook, records: DynamoDBRecord[], reader: Reader = 'project') =>
  world.takeBy({ sinks: [factory] }, reader, eventOf(...records));

const counts = ({ name }: Notebook) => world.batches.at(-1)?.sinks[name];
const reasons = () => world.batches.at(-1)?.failures.map(({ reason }) => reason) ?? [];
const parked = (book: Notebook, ...ids: string[]) => parkedOf(world, book, ...ids);
const changesOf = ({ name }: Notebook, id: string) => world.parkedChanges(name, itemOf(id));
const holdOf = ({ name }: Notebook, id: string) => world.hold(name, itemOf(id));
const applied = { state: 'applied' } as const;

/** The deliveries table does not take the change at this place of the stream. */
function refusingRow({ operation, body }: Seen, sequenceNumber: string): Conduct {
  if (operation !== 'TransactWriteItems') return undefined;
  const items: { Put: { Item: { sk: { S: string } } } }[] = JSON.parse(body).TransactItems;
  const isRefused = (sk: string) => sk.includes(sequenceNumber);
  const CancellationReasons = items.map(({ Put }) => ({
    Code: isRefused(Put.Item.sk.S) ? 'TransactionConflict' : 'None',
  }));
  if (!items.some(({ Put }) => isRefused(Put.Item.sk.S))) return undefined;
  return json(400, { __type: 'TransactionCanceledException', CancellationReasons });
}

/** Takes none of these, until it is told that it may. */
function obstinate(isRefused: (note: Note) => boolean, answer = no(true)) {
  const self = {
    relents: false,
    answer: (note: Note) => (!self.relents && isRefused(note) ? answer : applied),
  };
  return self;
}
const newer = (one: Note, other: Note) => (one.version > other.version ? one : other);

test('a view is sent the newest of each target, where its first one stood', async () => {
  const book = notebook({ kind: 'view', target: byItem, newer });
  expect(await take(book, mixed())).toEqual(allTaken);
  expect(await take(book, mixed().toReversed())).toEqual(allTaken);
  expect(book.calls).toEqual([
    ['a v3', 'b v2'],
    ['b v2', 'a v3'],
  ]);
  expect(counts(book)).toEqual({ ...nothing, applied: 2, coalesced: 3 });
});

test('when a coalesced request fails, every change that it stood for is parked, and no other', async () => {
  const records = mixed();
  const book = notebook({ kind: 'view', target: byItem, newer, answer: (note) => no(!is('b v2')(note)) });
  expect(await take(book, records)).toEqual(allTaken);
  expect(world.batches.at(-1)?.failures).toHaveLength(3); // no more are shown
  expect(counts(book)).toEqual({ ...nothing, coalesced: 3, waiting: 3, refused: 2 });
  expect(await parked(book, 'a')).toEqual(['a v1 waiting', 'a v2 waiting', 'a v3 waiting']);
  expect(await parked(book, 'b')).toEqual(['b v1 refused', 'b v2 refused']);
  const other = notebook({
    kind: 'view',
    target: byItem,
    newer,
    answer: (note) => (is('b v2')(note) ? no(false) : { state: 'applied' }),
  });
  expect(await take(other, records)).toEqual(allTaken);
  expect(await parked(other, 'a', 'b')).toEqual(['b v1 refused', 'b v2 refused']);
});

test('a view that knows how to recover is parked by item: the highest version, and all its targets', async () => {
  const records = mixed();
  const target = ({ item, version }: Note) => `${label({ item, version, bytes: 1 })}`;
  const recover: Sink<Note>['recover'] = async ({ key, version }) => [{ item: key.sk, version, bytes: 1 }];
  const service = obstinate(({ item }) => item.endsWith('a'));
  const book = notebook({ kind: 'view', target, recover, answer: service.answer });
  expect(await take(book, records)).toEqual(allTaken);
  expect(counts(book)).toEqual({ ...nothing, applied: 2, waiting: 3 });
  expect(await parked(book, 'a', 'b')).toEqual([]);
  const hold = await holdOf(book, 'a');
  expect(hold).toMatchObject({ state: 'waiting', reason: 'no', view: { version: version(3) } });
  expect(hold?.view?.targets.toSorted()).toEqual(['a v1', 'a v2', 'a v3']);
  expect(await holdOf(book, 'b')).toBeUndefined();

  service.relents = true;
  book.calls.length = 0;
  await world.redrive({ sinks: [book.factory] });
  expect(book.calls).toEqual([['a v3']]);
  expect(await holdOf(book, 'a')).toBeUndefined();
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

test('what waits at an act holds back the later changes of its item, and they go in order afterwards', async () => {
  const service = obstinate(is('a v2'));
  const book = notebook({ kind: 'act', target: byItem, answer: service.answer });
  expect(await take(book, mixed(), 'notify')).toEqual(allTaken);
  expect(new Set(book.calls.flat())).toEqual(new Set(['a v1', 'b v1', 'a v2', 'b v2']));
  expect(counts(book)).toEqual({ ...nothing, applied: 3, waiting: 2 });
  expect(await parked(book, 'a', 'b')).toEqual(['a v2 waiting', 'a v3 waiting']);
  expect(await holdOf(book, 'a')).toMatchObject({ state: 'waiting', reason: 'no' });

  service.relents = true;
  book.calls.length = 0;
  const [, , , later] = writes('a', 4);
  expect(await take(book, later ? [later] : [], 'notify')).toEqual(allTaken);
  expect(book.calls).toEqual([]);
  expect(await parked(book, 'a')).toEqual(['a v2 waiting', 'a v3 waiting', 'a v4 waiting']);
  await world.redrive({ sinks: [book.factory] });
  expect(book.calls).toEqual([['a v2'], ['a v3'], ['a v4']]);
  expect(await parked(book, 'a')).toEqual([]);
  expect(await holdOf(book, 'a')).toBeUndefined();
});

test('what an act is refused for good holds back nobody', async () => {
  const service = obstinate(is('a v2'), no(false));
  const book = notebook({ kind: 'act', target: byItem, answer: service.answer });
  expect(await take(book, mixed(), 'notify')).toEqual(allTaken);
  expect(book.calls).toEqual([['a v1', 'b v1'], ['a v2', 'b v2'], ['a v3']]);
  expect(counts(book)).toEqual({ ...nothing, applied: 4, refused: 1 });
  expect(await parked(book, 'a', 'b')).toEqual(['a v2 refused']);
  expect(await holdOf(book, 'a')).toBeUndefined();
  await world.redrive({ sinks: [book.factory] });
  expect(book.calls.flat()).toHaveLength(5);
});

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

test('where nothing is replied to, everything is parked after four tries', async () => {
  let calls = 0;
  const book = notebook({
    async send() {
      calls++;
      return [];
    },
  });
  expect(await take(book, mixed())).toEqual(allTaken);
  expect(calls).toBe(4);
  expect(counts(book)).toEqual({ ...nothing, waiting: 5 });
  expect(await parked(book, 'a', 'b')).toEqual(
    ['a v1', 'a v2', 'a v3', 'b v1', 'b v2'].map((text) => `${text} waiting`),
  );
});

test('what may pass is tried four times, what may not once, and nothing that went through again', async () => {
  const answer = (note: Note) =>
    is('a v2')(note) ? no(true) : is('b v1')(note) ? no(false) : ({ state: 'applied' } as const);
  const book = notebook({ answer });
  expect(await take(book, mixed())).toEqual(allTaken);
  expect(book.calls).toEqual([['a v1', 'b v1', 'a v2', 'a v3', 'b v2'], ['a v2'], ['a v2'], ['a v2']]);
  expect(counts(book)).toEqual({ ...nothing, applied: 3, waiting: 1, refused: 1 });
  expect(await parked(book, 'a', 'b')).toEqual(['a v2 waiting', 'b v1 refused']);
});

test('what a call held that throws is parked whole, and the next calls go on', async () => {
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
  expect(await take(book, records)).toEqual(allTaken);
  expect(calls.slice(0, 3)).toEqual([['a v1', 'b v1'], ['a v2', 'a v3'], ['b v2']]);
  expect(calls.slice(3)).toEqual([
    ['a v1', 'b v1'],
    ['a v1', 'b v1'],
    ['a v1', 'b v1'],
  ]);
  expect(reasons()).toEqual(['Error: gone', 'Error: gone']);
  expect(await parked(book, 'a', 'b')).toEqual(['a v1 waiting', 'b v1 waiting']);
  const changes = await Promise.all(['a', 'b'].map((id) => changesOf(book, id)));
  expect(changes.flat().map(({ raw }) => raw)).toEqual(records.slice(0, 2));
});

test('a service that is sick three calls in a row is left alone, and the rest is parked unsent', async () => {
  let calls = 0;
  const book = notebook({
    limits: { count: 1, bytes: 100 },
    async send() {
      calls++;
      throw new Error('gone');
    },
  });
  expect(await take(book, mixed())).toEqual(allTaken);
  expect(calls).toBe(3);
  expect(counts(book)).toEqual({ ...nothing, waiting: 5 });
  const reasonsOf = async (id: string) => (await changesOf(book, id)).map(({ reason }) => reason);
  expect(await reasonsOf('a')).toEqual(['Error: gone', 'Error: gone', 'the breaker is open']);
  expect(await reasonsOf('b')).toEqual(['Error: gone', 'the breaker is open']);
});

test('what can be neither delivered nor parked is answered, from the first such change on', async () => {
  const book = notebook({ answer: (note) => (is('a v2')(note) || is('b v2')(note) ? no(false) : applied) });
  const records = mixed();
  world.refuseParking();
  expect(await take(book, records)).toEqual(from(records[2]));
  expect(counts(book)).toEqual({ ...nothing, applied: 3, failed: 2 });
  world.proxies.dynamodb.calm();
  expect(await parked(book, 'a', 'b')).toEqual([]);
  expect(await take(book, records.slice(2))).toEqual(allTaken);
  expect(await parked(book, 'a', 'b')).toEqual(['a v2 refused', 'b v2 refused']);
});

test.each([
  ['the holds', '"hold"'],
  ['the switch', '"switch"'],
])(
  'where %s of an act cannot be read nothing is sent, and the first change is answered',
  async (_what, mark) => {
    const book = notebook({ kind: 'act', target: byItem });
    const records = mixed();
    world.proxies.dynamodb.conduct = ({ operation, body }) =>
      operation === 'BatchGetItem' && body.includes(mark) ? 'closed' : undefined;
    expect(await take(book, records, 'notify')).toEqual(from(records[0]));
    expect(book.calls).toEqual([]);
    expect(counts(book)).toEqual({ ...nothing, failed: 5 });
    world.proxies.dynamodb.calm();
    expect(await take(book, records, 'notify')).toEqual(allTaken);
    expect(counts(book)).toEqual({ ...nothing, applied: 5 });
  },
);

test.each([
  ['an act', 'first', 'act', 'notify', 1],
  ['a log', 'last', 'log', 'project', 2],
] as const)(
  'where one request of a change to %s is refused, its %s, the other still waits its turn',
  async (_what, _which, kind, reader, bad) => {
    let isWell = false;
    const taken: number[] = [];
    const book = notebook({
      kind,
      target: ({ item, bytes }) => (kind === 'act' ? item : `${item} ${bytes}`),
      plan: ({ key, version }) => [1, 2].map((bytes) => ({ item: key.sk, version, bytes })),
      answer({ bytes }) {
        if (bytes === bad) return no(false);
        if (!isWell) return no(true);
        taken.push(bytes);
        return applied;
      },
    });
    expect(await take(book, writes('a', 1), reader)).toEqual(allTaken);
    await world.redrive({ sinks: [book.factory] });
    world.clock.milliseconds += 3_600_000;
    isWell = true;
    await world.redrive({ sinks: [book.factory] });
    expect(taken).toEqual([3 - bad]);
  },
);

test('of an act’s item whose first change could not be parked, no redrive sends a later one before it', async () => {
  const service = obstinate(is('a v1'));
  const book = notebook({ kind: 'act', target: byItem, answer: service.answer });
  const records = writes('a', 2);
  const [first] = records;
  world.proxies.dynamodb.conduct = (seen) => refusingRow(seen, String(first?.dynamodb?.SequenceNumber));
  expect(await take(book, records, 'notify')).toEqual(from(first));
  world.proxies.dynamodb.calm();

  // Redrive may come before Lambda does.
  service.relents = true;
  book.calls.length = 0;
  await world.redrive({ sinks: [book.factory] });
  expect(await take(book, records, 'notify')).toEqual(allTaken);
  await world.redrive({ sinks: [book.factory] });
  const firstCopies = [...new Set(book.calls.flat())];
  expect(firstCopies).toEqual(['a v1', 'a v2']);
});

test('a request that no call can hold is parked as refused, unsent, and its neighbours go through', async () => {
  const book = notebook({ limits: { count: 10, bytes: 5 } });
  const records = writes('a', 3, (at) => (at === 2 ? 6 : 1));
  expect(await take(book, records)).toEqual(allTaken);
  expect(book.calls).toEqual([['a v1'], ['a v3']]);
  expect(counts(book)).toEqual({ ...nothing, applied: 2, refused: 1 });
  const changes = await changesOf(book, 'a');
  expect(changes).toMatchObject([
    { version: version(2), state: 'refused', reason: expect.stringContaining('more than the 5 bytes') },
  ]);
  expect(changes.map(({ raw }) => raw)).toEqual([records[1]]);
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
