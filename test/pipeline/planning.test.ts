/** A change that an entity's own functions cannot make a request of. */
import type { DynamoDBRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import type { Reader } from '../../src/pipeline/stream.ts';
import { from, openWorld } from '../sinks/world.ts';
import { eventOf } from '../support/records.ts';
import { byItem, mixed, type Note, type Notebook, notebook, planned, writes } from './notebook.ts';

const world = await openWorld();

const take = ({ factory }: Notebook, records: DynamoDBRecord[], reader: Reader = 'project') =>
  world.takeBy({ sinks: [factory] }, reader, eventOf(...records));

test('a change that cannot be planned fails alone', async () => {
  const records = mixed();
  const plan: typeof planned = (change) => {
    if (change.after?.price === 2 && change.key.sk.endsWith('a'))
      throw new TypeError(`no ${change.after.name}`);
    return planned(change);
  };
  const book = notebook({ plan: (change) => [plan(change)] });
  expect(await take(book, records)).toEqual(from(records[2]));
  expect(book.calls.flat()).toEqual(['a v1', 'b v1', 'a v3', 'b v2']);
  expect(
    world.batches
      .at(-1)
      ?.failures.map(({ reason }) => reason)
      .join(),
  ).toMatch(/planning failed: TypeError at /);
  expect(
    world.batches
      .at(-1)
      ?.failures.map(({ reason }) => reason)
      .join(),
  ).not.toContain('Lamp');
});

test('what an act cannot plan, its item’s later changes do not overtake', async () => {
  const records = mixed();
  const plan: typeof planned = (change) => {
    if (change.after?.price === 2 && change.key.sk.endsWith('a')) throw new Error('no');
    return planned(change);
  };
  const book = notebook({ kind: 'act', target: byItem, plan: (change) => [plan(change)] });
  expect(await take(book, records, 'notify')).toEqual(from(records[2]));
  expect(book.calls.flat()).toEqual(['a v1', 'b v1', 'b v2']);
});

test('of a change whose second request cannot be measured, the first is not sent either', async () => {
  const size = ({ bytes }: Note) => {
    if (bytes < 0) throw new Error('no size');
    return bytes;
  };
  const book = notebook({ size, plan: (change) => [planned(change), { ...planned(change), bytes: -1 }] });
  const records = writes('a', 1);
  expect(await take(book, records)).toEqual(from(records[0]));
  expect(book.calls).toEqual([]);
});
