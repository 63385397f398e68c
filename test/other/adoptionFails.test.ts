/** An adoption that fails is a delivery that fails: it is parked, tried again, and holds nobody else. */
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { connect, disconnect } from '../../src/connections.ts';
import { changesUnder } from '../../src/deliveries/changes.ts';
import { redriveDue } from '../../src/deliveries/redrive.ts';
import { unitOf } from '../../src/deliveries/rows.ts';
import { openStream, type StreamHandler } from '../../src/pipeline/stream.ts';
import { encodeItem } from '../../src/table/attributes.ts';
import { writer } from '../../src/table/write/writer.ts';
import { by } from '../support/shop.ts';
import { itemOf } from './item.ts';
import { openOther } from './kit.ts';
import { libraryWith } from './library/app.ts';
import { book } from './library/book.ts';
import { copy } from './library/copy.ts';
import { desk, dune, shelved } from './library/desk.ts';

const adopting = libraryWith('all');
const world = await openOther(adopting);
world.deploy(); // it is this file that takes the records
const connections = connect(readConfig(process.env));
afterAll(async () => {
  await disconnect(connections);
  await world.stop();
});

const { store, settle } = world;
const { version, pk } = store.table;
/** Each batch by a process of its own: none finds a breaker that an earlier one has left open. */
const project: StreamHandler = (event) => openStream(adopting, 'project', connections)(event);
/** What is parked is due by now, and is tried again. */
const redrive = () =>
  redriveDue(
    adopting,
    { ...connections, now: () => Date.now() + 6_000 },
    { signal: new AbortController().signal },
  );
const parked = async ({ name }: { name: string }) =>
  (await changesUnder(connections, unitOf('adoption', name))).changes;

/** What DynamoDB does with the update of an item, by its partition key. */
let refuse: (partition: string) => Error | undefined = () => undefined;
let updates = 0;
connections.dynamodb.middlewareStack.add(
  (next, context) => (args) => {
    const input = args.input as { TableName?: string; Key?: Record<string, { S: string }> };
    if (context.commandName !== 'UpdateItemCommand' || input.TableName !== store.tableName) return next(args);
    updates += 1;
    const error = refuse(input.Key?.[pk]?.S ?? '');
    return error === undefined ? next(args) : Promise.reject(error);
  },
  { step: 'initialize' },
);

beforeEach(() => {
  refuse = () => undefined;
  updates = 0;
});

/** The records of these writes; nobody has taken them. */
async function during(write: () => Promise<unknown>): Promise<DynamoDBRecord[]> {
  await settle();
  const known = world.records().length;
  await write();
  await settle();
  return world.records().slice(known);
}

const allTaken = { batchItemFailures: [] };

test('it is parked, the rest of its batch is done, and the next time it succeeds', async () => {
  const items = [shelved(1), shelved(2), shelved(3)].map((fields) => itemOf(world, copy, fields));
  const [failing, ours, other] = items;
  const Records = await during(async () => {
    await writer(store).create(copy, shelved(2), by());
    await desk(store).put(copy, shelved(1));
    await desk(store).put(copy, shelved(3));
  });
  refuse = (partition) => (partition.endsWith('#1') ? new Error('no answer') : undefined);
  expect(await project({ Records })).toEqual(allTaken);
  expect(world.batches.at(-1)?.failures).toMatchObject([{ sink: 'adoption', reason: 'Error: no answer' }]);
  expect(await failing?.held()).not.toHaveProperty(version);
  const changes = failing ? await parked(failing) : [];
  expect(changes).toMatchObject([{ state: 'waiting', reason: 'Error: no answer' }]);
  expect(changes.map(({ raw }) => raw)).toEqual([Records[1]]);
  expect(await other?.held()).toHaveProperty(version);
  for (const item of items) expect(await item.history()).toHaveLength(1);
  expect(await ours?.history()).toMatchObject([{ exact: true }]);

  refuse = () => undefined;
  expect((await redrive()).sinks.adoption).toMatchObject({ applied: 1, waiting: 0 });
  expect(await failing?.held()).toHaveProperty(version);
  expect(failing && (await parked(failing))).toEqual([]);
  for (const item of items) expect(await item.history()).toHaveLength(1);
});

test('search shows the item meanwhile, as it is', async () => {
  const item = itemOf(world, book, dune());
  const Records = await during(() => desk(store).put(book, dune()));
  refuse = () => new Error('no answer');
  expect(await project({ Records })).toEqual(allTaken);
  expect(await parked(item)).toMatchObject([{ state: 'waiting' }]);
  expect((await item.document())?.source).toEqual(dune());
});

test('a batch asks once for each item, whatever has become of it, and not at all where nothing is missing', async () => {
  const Records = await during(async () => {
    for (const lent of [1, 2, 3]) await desk(store).put(copy, shelved(4, { lent }));
    await desk(store).put(copy, shelved(5));
    await desk(store).delete(copy, shelved(5));
  });
  expect(await project({ Records })).toEqual(allTaken);
  expect(updates).toBe(2);
  expect(await itemOf(world, copy, shelved(4)).held()).toMatchObject({
    lent: 3,
    [version]: expect.any(Number),
  });
  expect(await itemOf(world, copy, shelved(5)).held()).toEqual({});
  const own = await during(() => writer(store).create(copy, shelved(6), by()));
  await project({ Records: own });
  expect(updates).toBe(2);
  expect(Object.keys(world.batches.at(-1)?.sinks ?? {})).not.toContain('adoption');
});

test('an item put back behind an index that is far ahead of the clock is raised above it at once', async () => {
  const fields = dune({ isbn: '978-5' });
  const item = itemOf(world, book, fields);
  const hour = 3_600_000_000;
  const put = (form: object) =>
    store.dynamodb.send(new PutItemCommand({ TableName: store.tableName, Item: encodeItem({ ...form }) }));
  const takeAll = async (write: () => Promise<unknown>) => {
    for (let records = await during(write); records.length > 0; )
      records = await during(() => project({ Records: records }));
  };
  await takeAll(() => writer(store).create(book, fields, by()));
  const old = await item.held();
  const ahead = Number(old[version]) + hour;
  await takeAll(() => put({ ...old, year: 2000, [version]: ahead }));
  expect(await item.document()).toMatchObject({ version: ahead });
  await takeAll(() => desk(store).delete(book, fields));
  updates = 0;
  await takeAll(() => put(old));
  expect(Number((await item.held())[version])).toBeGreaterThan(ahead);
  expect(await item.document()).toMatchObject({ source: { year: 1965 } });
  expect(updates).toBeLessThanOrEqual(2);
});
