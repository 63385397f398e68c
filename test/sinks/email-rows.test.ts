import type { DynamoDBStreamEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { order } from '../../src/shop/entities/order.ts';
import { email } from '../../src/sinks/email/sink.ts';
import type { Entity, Fields } from '../../src/table/entity.ts';
import { eventOf, recordOf } from '../support/records.ts';
import { epoch, fresh, history, nameOf, orderAt, purchase, version } from './items.ts';
import { json, towards } from './proxy.ts';
import { allTaken, nothing, openWorld } from './world.ts';

const world = await openWorld();

const rowsOf = (item: Fields) => world.outboxRows(nameOf(item));
const TableName = world.config.SLUICE_OUTBOX_TABLE;
/** What is parked of an order’s mail, such as `1 waiting`. */
const parked = async (item: Fields) =>
  (await world.parkedChanges('email', nameOf(item))).map(
    ({ version, state }) => `${version % 1000} ${state}`,
  );
const counted = () => world.batches.at(-1)?.sinks.email;

function life() {
  const id = fresh('o');
  const forms = ['pending', 'paid', 'shipped'].map((status, index) =>
    orderAt(index + 1, purchase(id, { status })),
  );
  return { id, item: forms[0] ?? {}, records: history(undefined, ...forms) };
}

/** Taken by a shop with other orders. */
const notifyWith = (changed: Entity) => (event: DynamoDBStreamEvent) =>
  world.takeBy({ entities: [changed] }, 'notify', event);

test('an event with an email puts one row that waits to be sent', async () => {
  const { id, item, records } = life();
  expect(await world.take('notify', eventOf(...records.slice(0, 1)))).toEqual(allTaken);
  const change = `Order/USER#u1/ORDER#${id}/${version(1)}`;
  expect(await rowsOf(item)).toEqual([
    {
      pk: `Order/USER#u1/ORDER#${id}`,
      sk: `${version(1)}/${version(1)}/orderConfirmation`,
      hash: expect.stringMatching(/^[\w-]{43}$/),
      change,
      entity: 'Order',
      email: 'orderConfirmation',
      policy: 'atMostOnce',
      occurredAt: new Date(epoch).toISOString(),
      sendBefore: epoch + 12 * 3_600_000,
      due: epoch,
      queue: expect.stringMatching(/^mail\/\d$/),
      tag: expect.stringMatching(/^[\w-]{43}$/),
      state: 'waiting',
      to: 'ada@example.com',
      item: purchase(id),
    },
  ]);
});

test('a change without an email puts none, and makes no call', async () => {
  const { item, records } = life();
  const batch = eventOf(...records.slice(1, 2));
  expect(await world.takeBy({ sinks: [email] }, 'notify', batch)).toEqual(allTaken);
  expect(await rowsOf(item)).toEqual([]);
  expect(world.proxies.dynamodb.seen).toEqual([]);
});

test('an item’s rows stand in the order of its versions', async () => {
  const { item, records } = life();
  await world.take('notify', eventOf(...records));
  expect((await rowsOf(item)).map(({ email }) => email)).toEqual(['orderConfirmation', 'orderShipped']);
});

test('however often a change comes, alone or twice in a batch, there is one row', async () => {
  const { item, records } = life();
  await world.take('notify', eventOf(...records, ...records));
  for (let times = 0; times < 3; times++)
    expect(await world.take('notify', eventOf(...records))).toEqual(allTaken);
  expect(counted()).toEqual({ ...nothing, repeated: 2 });
  expect(await rowsOf(item)).toHaveLength(2);
});

test('a replay after the policy was changed is still the same mail', async () => {
  const { item, records } = life();
  await world.take('notify', eventOf(...records));
  const rows = await rowsOf(item);
  const { orderConfirmation } = order.emails;
  if (orderConfirmation === undefined) throw new Error('It is declared.');
  const patient = { ...orderConfirmation, policy: 'atLeastOnce' as const };
  const notify = notifyWith({ ...order, emails: { ...order.emails, orderConfirmation: patient } } as Entity);
  expect(await notify(eventOf(...records))).toEqual(allTaken);
  expect(await rowsOf(item)).toEqual(rows);
});

test('two emails of one change are two rows', async () => {
  const { item, records } = life();
  const { orderConfirmation } = order.emails;
  const notify = notifyWith({
    ...order,
    emails: { orderConfirmation, toTheShop: orderConfirmation },
  } as Entity);
  expect(await notify(eventOf(...records))).toEqual(allTaken);
  expect((await rowsOf(item)).map(({ email }) => email)).toEqual(['orderConfirmation', 'toTheShop']);
});

test('a change past Sluice has a row under the stream’s own event id', async () => {
  const { item } = life();
  const record = recordOf({ before: item, after: { ...item, status: 'shipped' } });
  await world.take('notify', eventOf(record));
  await world.take('notify', eventOf(record));
  expect((await rowsOf(item)).map(({ sk }) => sk)).toEqual([`${version(1)}/~${record.eventID}/orderShipped`]);
});

test('more rows than one transaction takes are all put', async () => {
  const lives = Array.from({ length: 30 }, life);
  expect(await world.take('notify', eventOf(...lives.flatMap(({ records }) => records)))).toEqual(allTaken);
  expect(counted()).toMatchObject({ applied: 60, failed: 0 });
});

test('rows put though the answer was lost are there once', async () => {
  const { item, records } = life();
  let times = 0;
  world.proxies.dynamodb.conduct = towards(TableName, () => (++times <= 4 ? 'lost' : undefined));
  expect(await world.take('notify', eventOf(...records))).toEqual(allTaken);
  expect(times).toBeGreaterThan(4);
  expect(await parked(item)).toEqual([]);
  expect(await rowsOf(item)).toHaveLength(2);
});

test('a change whose address cannot be told is parked as refused, and holds back no other mail', async () => {
  const [one, other] = [life(), life()];
  const notify = notifyWith({
    ...order,
    emails: Object.fromEntries(
      Object.entries(order.emails).map(([name, email]) => [
        name,
        {
          ...email,
          to({ orderId, status, email: address }: Fields) {
            if (orderId === one.id && status === 'pending') throw new Error(`no address in ${address}`);
            return String(address);
          },
        },
      ]),
    ),
  } as Entity);
  const records = [...other.records.slice(0, 1), ...one.records, ...other.records.slice(1)];
  expect(await notify(eventOf(...records))).toEqual(allTaken);
  expect((await rowsOf(one.item)).map((row) => row.email)).toEqual(['orderShipped']);
  expect(await rowsOf(other.item)).toHaveLength(2);
  const [change, ...more] = await world.parkedChanges('email', nameOf(one.item));
  expect(more).toEqual([]);
  expect(change).toMatchObject({ state: 'refused', version: version(1) });
  expect(change?.raw).toEqual(one.records[0]);
  const told = [change?.reason, ...(world.batches.at(-1)?.failures ?? []).map(({ reason }) => reason)];
  expect(told).toHaveLength(2);
  for (const reason of told) {
    expect(reason).toMatch(/^planning failed: Error at /);
    expect(reason).not.toContain('ada@');
  }
});

test('a row that cannot be put holds back its own item’s later rows, and nobody else’s', async () => {
  const [one, other] = [life(), life()];
  world.proxies.dynamodb.conduct = towards(TableName, ({ body }) => {
    const items: { Put: { Item: { sk: { S: string }; pk: { S: string } } } }[] =
      JSON.parse(body).TransactItems;
    const reasons = items.map(({ Put: { Item } }) => {
      const isHeld = Item.pk.S === nameOf(one.item) && Item.sk.S.endsWith('orderConfirmation');
      return { Code: isHeld ? 'TransactionConflict' : 'None' };
    });
    if (reasons.every(({ Code }) => Code === 'None')) return undefined;
    return json(400, { __type: 'TransactionCanceledException', CancellationReasons: reasons });
  });
  const records = [...one.records, ...other.records];
  expect(await world.take('notify', eventOf(...records))).toEqual(allTaken);
  expect(await rowsOf(one.item)).toEqual([]);
  expect(await rowsOf(other.item)).toHaveLength(2);
  expect(await parked(one.item)).toEqual(['1 waiting', '3 waiting']);
  expect(await parked(other.item)).toEqual([]);
  world.proxies.dynamodb.calm();
  await world.redrive();
  expect((await rowsOf(one.item)).map((row) => row.email)).toEqual(['orderConfirmation', 'orderShipped']);
  expect(await parked(one.item)).toEqual([]);
  expect(await world.hold('email', nameOf(one.item))).toBeUndefined();
});

test('mail of an item with a key as long as DynamoDB allows waits like any other', async () => {
  const long = { userId: '/'.repeat(700), email: 'ada@example.com' };
  const [one, other] = ['/', '%'].map((end) => orderAt(1, purchase(`${'/'.repeat(300)}${end}`, long)));
  const { item, records } = life();
  const batch = eventOf(...history(undefined, one), ...records.slice(0, 1), ...history(undefined, other));
  expect(await world.take('notify', batch)).toEqual(allTaken);
  for (const order of [one, other, item])
    expect(await rowsOf(order ?? {})).toMatchObject([{ email: 'orderConfirmation', state: 'waiting' }]);
});
