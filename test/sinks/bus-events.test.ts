import { expect, test } from 'vitest';
import { order } from '../../src/shop/entities/order.ts';
import { product } from '../../src/shop/entities/product.ts';
import type { Entity } from '../../src/table/entity.ts';
import { became } from '../../src/table/rules.ts';
import { eventOf, recordOf } from '../support/records.ts';
import {
  ada,
  customerAt,
  epoch,
  fresh,
  history,
  lamp,
  orderAt,
  productAt,
  purchase,
  tombstone,
  version,
} from './items.ts';
import { allTaken, openWorld } from './world.ts';

const world = await openWorld();

/** The events that these records cause. */
async function eventsAfter(...records: ReturnType<typeof history>) {
  const before = world.bus.events().length;
  expect(await world.take('notify', eventOf(...records))).toEqual(allTaken);
  return world.bus.events().slice(before);
}

test('an event says what happened to which version of what, and who caused it', async () => {
  const id = fresh('o');
  const item = purchase(id);
  const stamps = { _actor: 'clerk', _request: 'call-7' };
  const [event, ...more] = await eventsAfter(...history(undefined, orderAt(1, item, stamps)));
  const { email: _, ...data } = item;
  expect(more).toEqual([]);
  expect(event).toMatchObject({ source: 'sluice.shop', 'detail-type': 'OrderPlaced' });
  expect(event?.detail).toEqual({
    meta: {
      eventId: `Order/USER#u1/ORDER#${id}/${version(1)}/OrderPlaced`,
      entity: 'Order',
      key: { pk: 'USER#u1', sk: `ORDER#${id}` },
      version: version(1),
      exact: true,
      eventVersion: 1,
      occurredAt: new Date(epoch).toISOString(),
      publishedAt: new Date(world.clock.milliseconds).toISOString(),
      actor: 'clerk',
      correlationId: 'call-7',
      late: false,
      replay: false,
    },
    data,
  });
});

test('personal fields leave only in the events that allow them', async () => {
  const id = fresh('u');
  const item = customerAt(1, ada(id));
  const [registered] = await eventsAfter(...history(undefined, item));
  const [removed] = await eventsAfter(recordOf({ before: item }));
  const { email: _, ...allowed } = ada(id);
  expect(registered?.detail.data).toEqual(allowed);
  const { name: __, ...impersonal } = allowed;
  expect(removed?.detail.data).toEqual(impersonal);
});

test('no event carries what is not declared: neither keys nor stamps nor foreign attributes', async () => {
  const item = productAt(1, { ...lamp(fresh('lamp')), margin: 0.4 }, { gsi1pk: 'CATEGORY#light' });
  const [event] = await eventsAfter(...history(undefined, item));
  expect(Object.keys(Object(event?.detail.data)).sort()).toEqual(Object.keys(product.schema.shape).sort());
});

test('each step of an order is an event of its own, in the order of its versions', async () => {
  const id = fresh('o');
  const steps = ['pending', 'paid', 'shipped', 'delivered', 'cancelled'];
  const forms = steps.map((status, index) => orderAt(index + 1, purchase(id, { status })));
  const events = await eventsAfter(...history(undefined, ...forms));
  expect(events.map((event) => event['detail-type'])).toEqual([
    'OrderPlaced',
    'OrderPaid',
    'OrderShipped',
    'OrderCancelled',
  ]);
  expect(events.map(({ detail }) => Object(detail.meta).version)).toEqual([1, 2, 3, 5].map(version));
});

test('one change can be two events: two ids, one request each', async () => {
  const settling: Entity = { ...order, events: { ...order.events, OrderSettled: became('status', 'paid') } };
  const id = fresh('o');
  const records = history(orderAt(1, purchase(id)), orderAt(2, purchase(id, { status: 'paid' })));
  const before = world.bus.events().length;
  expect(await world.takeBy({ entities: [settling] }, 'notify', eventOf(...records))).toEqual(allTaken);
  const ids = world.bus
    .events()
    .slice(before)
    .map(({ detail }) => Object(detail.meta).eventId);
  const change = `Order/USER#u1/ORDER#${id}/${version(2)}`;
  expect(ids).toEqual([`${change}/OrderPaid`, `${change}/OrderSettled`]);
  expect(world.proxies.bus.seen).toHaveLength(2);
});

test('a new incarnation is created again; a rewrite of the same one is not', async () => {
  const id = fresh('lamp');
  const [first, rewritten] = [productAt(1, lamp(id)), productAt(2, lamp(id))];
  const reborn = productAt(4, lamp(id), { born: version(4) });
  const records = history(undefined, first, rewritten, tombstone(product, lamp(id), version(3)), reborn);
  const events = await eventsAfter(...records);
  expect(events.map((event) => event['detail-type'])).toEqual([
    'ProductAdded',
    'ProductRemoved',
    'ProductAdded',
  ]);
});

test('a change past Sluice is an event too, which says that its version is not exact', async () => {
  const item = orderAt(1, purchase(fresh('o')));
  const record = recordOf({ before: item, after: { ...item, status: 'paid' } });
  const [event] = await eventsAfter(record);
  expect(event?.detail.meta).toMatchObject({
    exact: false,
    version: version(1),
    eventId: expect.stringContaining(`~${record.eventID}/OrderPaid`),
  });
});

test('nobody is named for a plain delete, for nobody can be', async () => {
  const [event] = await eventsAfter(recordOf({ before: customerAt(1, ada(fresh('u'))) }));
  expect(event?.detail.meta).toMatchObject({ actor: null, correlationId: null });
});

test('the same change again is the same event, down to its id', async () => {
  const records = history(undefined, orderAt(1, purchase(fresh('o'))));
  const [once] = await eventsAfter(...records);
  world.clock.milliseconds += 1_000;
  const [again] = await eventsAfter(...records);
  const publishedAt = new Date(world.clock.milliseconds).toISOString();
  expect(again?.detail).toEqual({ ...once?.detail, meta: { ...Object(once?.detail.meta), publishedAt } });
});

test('a change that is no event makes no call', async () => {
  const id = fresh('o');
  await eventsAfter(...history(orderAt(1, purchase(id)), orderAt(2, purchase(id, { total: 21 }))));
  expect(world.proxies.bus.seen).toEqual([]);
});
