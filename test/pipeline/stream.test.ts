/** A batch in, the sinks side by side, the answer out. */
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { openStream, streamHandler } from '../../src/pipeline/stream.ts';
import { order } from '../../src/shop/entities/order.ts';
import { product } from '../../src/shop/entities/product.ts';
import type { Entity } from '../../src/table/entity.ts';
import { fresh, history, lamp, orderAt, productAt, purchase, tombstone, version } from '../sinks/items.ts';
import { allTaken, from, openWorld } from '../sinks/world.ts';
import { eventOf, recordOf } from '../support/records.ts';
import { label, type Note, type Notebook, no, notebook, parkedOf, planned, writes } from './notebook.ts';

const world = await openWorld();
const { proxies } = world;

const calls = () => Object.entries(proxies).flatMap(([name, { seen }]) => (seen.length > 0 ? [name] : []));
const note = (failing: (note: Note) => boolean = () => false) =>
  notebook({ answer: (one) => (failing(one) ? no(false) : { state: 'applied' }) });

test('each record’s verdict is counted', async () => {
  const id = fresh('lamp');
  const item = productAt(1, lamp(id));
  const grave = tombstone(product, item, version(3));
  const [changed, removed] = history(item, productAt(2, lamp(id, { stock: 1 })), grave);
  const stranger = { pk: 'STRANGER#1', sk: 'STRANGER#1', _type: 'Stranger' };
  const records = [
    ...history(undefined, item),
    recordOf({ before: item, after: { ...item, tags: undefined } }),
    recordOf({ before: grave }),
    recordOf({ after: stranger }),
    recordOf({ after: { ...item, price: 'much' } }),
    recordOf({ before: item, after: { ...item, stock: 4 } }),
  ];
  const book = notebook();
  await world.takeBy(
    { sinks: [book.factory] },
    'project',
    eventOf(...records, ...[changed, removed].flatMap((one) => one ?? [])),
  );
  expect(world.batches).toMatchObject([
    { reader: 'project', records: 8, changes: 4, unchanged: 2, ignored: 1, parked: 1, inexact: 1 },
  ]);
});

test('of several deliveries that cannot be parked the first in the batch is answered, whichever sink it was', async () => {
  world.refuseParking();
  const records = writes('a', 5);
  const one = note(({ version }) => version % 10 === 4);
  const other = note(({ version }) => version % 10 === 2);
  const event = eventOf(...records);
  expect(await world.takeBy({ sinks: [one.factory, other.factory] }, 'project', event)).toEqual(
    from(records[1]),
  );
  expect(await world.takeBy({ sinks: [other.factory, one.factory] }, 'project', event)).toEqual(
    from(records[1]),
  );
});

test('first means the place in the batch, not the digits of the number', async () => {
  world.refuseParking();
  const numbers = ['99999999999999999999', '100000000000000000000', '100000000000000000001'];
  const records = writes('a', 3);
  for (const [index, record] of records.entries())
    if (record.dynamodb) record.dynamodb.SequenceNumber = numbers[index] ?? '';
  const book = note(({ version }) => version % 10 !== 2);
  expect(await world.takeBy({ sinks: [book.factory] }, 'project', eventOf(...records))).toEqual({
    batchItemFailures: [{ itemIdentifier: '99999999999999999999' }],
  });
});

test('a failed record without a sequence number is parked, and where that fails the whole batch goes back', async () => {
  const records = writes('a', 3);
  for (const record of records) delete record.dynamodb?.SequenceNumber;
  const take = (book: Notebook) => world.takeBy({ sinks: [book.factory] }, 'project', eventOf(...records));
  const [one, other] = [1, 2].map(() => note(({ version }) => version % 10 === 2)) as [Notebook, Notebook];
  expect(await take(one)).toEqual(allTaken);
  expect(await parkedOf(world, one, 'a')).toEqual(['a v2 refused']);
  world.refuseParking();
  expect(await take(other)).toEqual({ batchItemFailures: [{ itemIdentifier: '' }] });
});

test('a sink that fails holds no other back', async () => {
  const sound = note();
  const broken = notebook({ send: () => Promise.reject(new Error('gone')) });
  const batch = eventOf(...writes('a', 3));
  expect(await world.takeBy({ sinks: [broken.factory, sound.factory] }, 'project', batch)).toEqual(allTaken);
  expect(sound.calls).toEqual([['a v1', 'a v2', 'a v3']]);
  expect(await parkedOf(world, sound, 'a')).toEqual([]);
  expect(await parkedOf(world, broken, 'a')).toEqual(['a v1 waiting', 'a v2 waiting', 'a v3 waiting']);
});

test('the sinks are at work at the same time', async () => {
  const meeting = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const sinks = meeting.map((mine, index) => {
    const book = notebook({
      async send(notes) {
        mine.resolve();
        await meeting[1 - index]?.promise;
        return notes.map(() => ({ state: 'applied' }));
      },
    });
    return book.factory;
  });
  expect(await world.takeBy({ sinks }, 'project', eventOf(...writes('a', 1)))).toEqual(allTaken);
});

const strangers: [string, unknown][] = [
  ['nothing at all', undefined],
  ['nothing at all', null],
  ['an empty object', {}],
  ['an object with "Records"', { Records: 'all' }],
  ['an SQS event', { Records: [{ messageId: '1', eventSource: 'aws:sqs', body: '{}' }] }],
  ['an SNS event', { Records: [{ EventSource: 'aws:sns', Sns: {} }] }],
  ['an event of "aws:mq"', { Records: [{ eventSource: 'aws:mq' }] }],
  ['an event whose records are of no stream', { Records: [null, 1] }],
  ['an EventBridge event', { source: 'sluice.shop', 'detail-type': 'OrderPaid', detail: {} }],
  ['a scheduled event', { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} }],
  ['the metadata message of a failed batch', { requestContext: {}, DDBStreamBatchInfo: { batchSize: 1 } }],
  ['an HTTP request', { requestContext: { http: { method: 'POST' } }, body: '{}' }],
  ['the inside of a stream record', { Keys: { pk: { S: 'a' } }, NewImage: { pk: { S: 'a' } } }],
  ['an item of a table', { pk: { S: 'a' }, price: { N: '1' } }],
];

test.each(strangers)('%s is refused whole, and named', async (what, event) => {
  const refused = world.take('project', event as DynamoDBStreamEvent);
  await expect(refused).rejects.toThrow(`This is no batch of a DynamoDB stream: it looks like ${what}`);
  expect(calls()).toEqual([]);
});

test('an empty batch is taken without a call', async () => {
  expect(await world.take('project', { Records: [] })).toEqual(allTaken);
  expect(await world.take('notify', { Records: [] })).toEqual(allTaken);
  expect(calls()).toEqual([]);
});

test('items of unknown entities, and of other tables’ keys, are ignored without a call', async () => {
  const other = recordOf({ after: { pk: 'X#1', sk: 'X#1', _type: 'X', price: 'much' } });
  const foreign: DynamoDBRecord = {
    ...other,
    dynamodb: { Keys: { id: { S: '1' } }, NewImage: { id: { S: '1' } } },
  };
  expect(await world.take('project', eventOf(other, foreign))).toEqual(allTaken);
  expect(world.batches).toMatchObject([{ ignored: 2, changes: 0, parked: 0 }]);
  expect(calls()).toEqual([]);
});

test('an entity without a sink’s member makes no call to it', async () => {
  const { search: _, cache: __, audit: ___, ...rest } = order;
  const bare = { ...rest, events: {}, emails: {} } as Entity;
  const records = history(undefined, orderAt(1, purchase(fresh('o'))));
  expect(await world.takeBy({ entities: [bare] }, 'project', eventOf(...records))).toEqual(allTaken);
  expect(await world.takeBy({ entities: [bare] }, 'notify', eventOf(...records))).toEqual(allTaken);
  expect(world.batches).toMatchObject([{ changes: 1 }, { changes: 1 }]);
  expect(calls()).toEqual([]);
});

test('`project` has the views and the log, `notify` the acts, and neither the other’s', async () => {
  const records = history(undefined, orderAt(1, purchase(fresh('o'))));
  await world.take('project', eventOf(...records));
  await world.take('notify', eventOf(...records));
  expect(world.batches.map(({ sinks }) => Object.keys(sinks))).toEqual([
    ['search', 'cache', 'audit'],
    ['email', 'bus'],
  ]);
});

test('a sink without an endpoint is off', async () => {
  const { search: _, cache: __, ...connections } = world.connections;
  const project = openStream(world.app, 'project', connections);
  const records = history(undefined, orderAt(1, purchase(fresh('o'))));
  expect(await project(eventOf(...records))).toEqual(allTaken);
  expect(Object.keys(world.batches.at(-1)?.sinks ?? {})).toEqual(['audit']);
});

test('the handler reads the environment at its first batch, and connects once', async () => {
  const handler = streamHandler(world.app, 'notify');
  const records = history(undefined, orderAt(1, purchase(fresh('o'))));
  process.env.SLUICE_TABEL = 'shop';
  await expect(handler(eventOf(...records))).rejects.toThrow('SLUICE_TABEL is no variable of Sluice');
  delete process.env.SLUICE_TABEL;
  expect(await handler(eventOf(...records))).toEqual(allTaken);
  process.env.SLUICE_BUS = '!';
  expect(await handler(eventOf(...records))).toEqual(allTaken);
  delete process.env.SLUICE_BUS;
  expect(world.batches.map(({ sinks }) => sinks.email)).toMatchObject([{ applied: 1 }, { repeated: 1 }]);
});

test('a report shows the first few reasons of each sink, and no more', async () => {
  const book = notebook({ plan: (change) => [planned(change)], answer: () => no(false) });
  await world.takeBy({ sinks: [book.factory] }, 'project', eventOf(...writes('a', 9)));
  const { failures = [] } = world.batches.at(-1) ?? {};
  expect(failures).toHaveLength(3);
  expect(failures[0]).toMatchObject({
    sink: book.name,
    change: `Product/PRODUCT#a/PRODUCT#a/${version(1)}`,
    reason: 'no',
  });
  expect(label({ item: 'a', version: version(1), bytes: 1 })).toBe('a v1');
});
