/** A change that an entity's own functions cannot make a request of. */
import type { DynamoDBRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import type { Reader } from '../../src/pipeline/stream.ts';
import { allTaken, nothing, openWorld } from '../sinks/world.ts';
import { eventOf } from '../support/records.ts';
import {
  byItem,
  itemOf,
  mixed,
  type Note,
  type Notebook,
  notebook,
  parkedOf,
  planned,
  writes,
} from './notebook.ts';

const world = await openWorld();

const take = ({ factory }: Notebook, records: DynamoDBRecord[], reader: Reader = 'project') =>
  world.takeBy({ sinks: [factory] }, reader, eventOf(...records));

const counts = ({ name }: Notebook) => world.batches.at(-1)?.sinks[name];

/** Plans all but the second write of product a. */
const plan = (change: Parameters<typeof planned>[0]) => {
  if (change.after?.price === 2 && change.key.sk.endsWith('a'))
    throw new TypeError(`no ${change.after.name}`);
  return [planned(change)];
};

test('a change that cannot be planned is parked as refused, alone, and what it holds is not told', async () => {
  const records = mixed();
  const book = notebook({ plan });
  expect(await take(book, records)).toEqual(allTaken);
  expect(book.calls.flat()).toEqual(['a v1', 'b v1', 'a v3', 'b v2']);
  expect(counts(book)).toEqual({ ...nothing, applied: 4, refused: 1 });
  expect(await parkedOf(world, book, 'a', 'b')).toEqual(['a v2 refused']);
  const [parked] = await world.parkedChanges(book.name, itemOf('a'));
  expect(parked?.raw).toEqual(records[2]);
  const told = [parked?.reason, ...(world.batches.at(-1)?.failures ?? []).map(({ reason }) => reason)];
  expect(told).toHaveLength(2);
  for (const reason of told) {
    expect(reason).toMatch(/^planning failed: TypeError at /);
    expect(reason).not.toContain('Lamp');
  }
});

test('what an act cannot plan is parked as refused, and holds back nobody', async () => {
  const book = notebook({ kind: 'act', target: byItem, plan });
  expect(await take(book, mixed(), 'notify')).toEqual(allTaken);
  expect(book.calls).toEqual([
    ['a v1', 'b v1'],
    ['a v3', 'b v2'],
  ]);
  expect(await parkedOf(world, book, 'a', 'b')).toEqual(['a v2 refused']);
  expect(await world.hold(book.name, itemOf('a'))).toBeUndefined();
});

test('of a change whose second request cannot be measured, the first is not sent either', async () => {
  const size = ({ bytes }: Note) => {
    if (bytes < 0) throw new Error('no size');
    return bytes;
  };
  const book = notebook({ size, plan: (change) => [planned(change), { ...planned(change), bytes: -1 }] });
  expect(await take(book, writes('a', 1))).toEqual(allTaken);
  expect(book.calls).toEqual([]);
  expect(await parkedOf(world, book, 'a')).toEqual(['a v1 refused']);
});
