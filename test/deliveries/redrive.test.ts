/** What is parked comes home: in order, once the service is back, and never over anything newer. */
import type { DynamoDBRecord } from 'aws-lambda';
import { afterEach, describe, expect, test } from 'vitest';
import { redriveItem } from '../../src/deliveries/redrive.ts';
import { holdKey, unitOf } from '../../src/deliveries/rows.ts';
import { setPaused } from '../../src/deliveries/switches.ts';
import { product } from '../../src/shop/entities/product.ts';
import { readRows } from '../../src/sinks/audit/row.ts';
import type { Fields } from '../../src/table/entity.ts';
import { fresh, history, lamp, nameOf, productAt, tombstone, version } from '../sinks/items.ts';
import type { Conduct, Seen } from '../sinks/proxy.ts';
import { eventOf } from '../support/records.ts';
import { down, hour, never, openOrders, orderForms, recordsOf } from './orders.ts';

const world = await openOrders();
const { proxies, clock, takeAll, eventsOf, redrive, redriveLater } = world;

const gone = (): Conduct => 'closed';

async function rowsOf(sink: string, item: Fields): Promise<Fields[]> {
  const unit = unitOf(sink, nameOf(item));
  return (await world.allParkedRows()).filter(({ pk }) => pk === unit);
}

const holdOf = async (sink: string, item: Fields) =>
  (await rowsOf(sink, item)).find(({ sk }) => sk === holdKey);

afterEach(world.recover);

describe('search', () => {
  test('an outage leaves one row for each item, and afterwards search shows what the items are now', async () => {
    const [one, other] = [lamp(fresh('lamp')), lamp(fresh('lamp'))];
    const forms = [1, 2, 3].map((at) => productAt(at, { ...one, price: at }));
    const second = productAt(1, other);
    proxies.search.conduct = down;
    await takeAll('project', ...history(undefined, ...forms), ...history(undefined, second));
    expect(await rowsOf('search', forms[0] as Fields)).toMatchObject([
      { sk: holdKey, state: 'waiting', version: version(3) },
    ]);
    await world.put(productAt(5, { ...one, price: 5 }));
    await world.put(second);
    proxies.search.calm();
    expect((await redriveLater()).sinks.search).toMatchObject({ applied: 2, waiting: 0 });
    expect(await world.document('products', nameOf(forms[0] as Fields))).toMatchObject({
      version: version(5),
      source: { price: 5 },
    });
    expect(await world.document('products', nameOf(second))).toMatchObject({ version: version(1) });
    expect(await rowsOf('search', second)).toEqual([]);
  });

  test('an item that was removed meanwhile is marked, above all that was parked', async () => {
    const one = lamp(fresh('lamp'));
    const form = productAt(1, one);
    await takeAll('project', ...history(undefined, form));
    proxies.search.conduct = gone;
    await takeAll('project', ...history(form, tombstone(product, one, version(2))));
    await world.delete(form);
    proxies.search.calm();
    await redriveLater();
    const document = await world.document('products', nameOf(form));
    expect(document?.source).toHaveProperty('sluiceRemovedAt');
    expect(document?.version).toBeGreaterThanOrEqual(version(2));
  });

  test('a newer write that arrived by itself is not undone', async () => {
    const one = lamp(fresh('lamp'));
    const [first, second] = [productAt(1, one), productAt(2, { ...one, price: 7 })];
    proxies.search.conduct = down;
    await takeAll('project', ...history(undefined, first));
    proxies.search.calm();
    await takeAll('project', ...history(first, second));
    await world.put(second);
    await redriveLater();
    expect(await world.document('products', nameOf(second))).toMatchObject({
      version: version(2),
      source: { price: 7 },
    });
    expect(await rowsOf('search', first)).toEqual([]);
  });

  test('what the index refuses waits for a person, and comes home when it is asked for after the repair', async () => {
    const form = productAt(1, lamp(fresh('lamp'), { price: 3 }));
    const headers = { 'content-type': 'application/json' };
    const refused = { index: { status: 400, error: { type: 'mapper_parsing_exception' } } };
    proxies.search.conduct = ({ path }: Seen) =>
      path.includes('_bulk')
        ? { status: 200, body: JSON.stringify({ errors: true, items: [refused] }), headers }
        : undefined;
    await takeAll('project', ...history(undefined, form));
    expect(await holdOf('search', form)).toMatchObject({
      state: 'refused',
      reason: 'status 400 mapper_parsing_exception',
    });
    proxies.search.calm();
    await world.put(form);
    expect((await redriveLater()).items).toBe(0);
    const unit = { sink: 'search', item: nameOf(form), settled: true };
    await redriveItem(world.app, world.connections, unit, never);
    expect(await world.document('products', nameOf(form))).toMatchObject({ version: version(1) });
    expect(await rowsOf('search', form)).toEqual([]);
  });
});

describe('cache', () => {
  test('the keys of every change that was parked are emptied, and those of what the item is now', async () => {
    const one = lamp(fresh('lamp'));
    const forms = ['x', 'y', 'z'].map((category, at) => productAt(at + 1, { ...one, category }));
    const keys = [`product:${one.productId}`, 'category:x', 'category:y', 'category:z', 'category:w'];
    for (const key of keys) {
      const held = await world.cache.read(key);
      if ('token' in held) await world.cache.fill(key, held.token, 'old', 36_000_000);
    }
    const invalidate = world.cache.invalidate;
    world.cache.invalidate = async () => {
      throw new Error('the cache is gone');
    };
    await takeAll('project', ...history(undefined, ...forms));
    world.cache.invalidate = invalidate;
    expect((await holdOf('cache', forms[0] as Fields))?.targets).toEqual(new Set(keys.slice(0, 4)));
    await world.put(productAt(4, { ...one, category: 'w' }));
    await redriveLater();
    for (const key of keys) expect(await world.cache.peek(key), key).toBeUndefined();
  });
});

describe('audit', () => {
  test('every version that was parked has its row afterwards, once, as it was then', async () => {
    const one = lamp(fresh('lamp'));
    const forms = [1, 2, 3].map((at) => productAt(at, { ...one, price: at }));
    const [first, second, third] = history(undefined, ...forms) as [
      DynamoDBRecord,
      DynamoDBRecord,
      DynamoDBRecord,
    ];
    proxies.dynamodb.conduct = ({ body }: Seen) =>
      body.includes(world.config.SLUICE_AUDIT_TABLE) ? down() : undefined;
    await takeAll('project', first, second);
    await takeAll('project', second);
    proxies.dynamodb.calm();
    await takeAll('project', third);
    expect(await world.auditRows(forms[0] as Fields)).toHaveLength(1);
    await world.put(forms[2] as Fields);
    await redriveLater();
    const trail = readRows(await world.auditRows(forms[0] as Fields));
    expect(trail.map(({ version: at }) => Number(at) % 1000)).toEqual([1, 2, 3]);
    expect(trail.map(({ diff }) => diff)).toMatchObject(
      [1, 2, 3].map((price) => ({ price: { after: price } })),
    );
    expect(await rowsOf('audit', forms[0] as Fields)).toEqual([]);
  });
});

describe('bus', () => {
  test('what waits holds later events of its item, others flow, and it goes in order, unmarked', async () => {
    const forms = orderForms();
    const [placed, paid, shipped] = recordsOf(forms);
    const other = orderForms();
    proxies.bus.conduct = down;
    await takeAll('notify', placed);
    proxies.bus.calm();
    await takeAll('notify', paid, ...history(undefined, other[0]));
    await takeAll('notify', shipped);
    expect(eventsOf(forms[0])).toEqual([]);
    expect(eventsOf(other[0])).toEqual(['OrderPlaced']);
    expect((await redriveLater()).sinks.bus).toMatchObject({ applied: 3, late: 0 });
    expect(eventsOf(forms[0])).toEqual(['OrderPlaced', 'OrderPaid', 'OrderShipped']);
    expect(world.published(forms[0]).map(({ meta }) => meta.version)).toEqual([1, 2, 3].map(version));
    expect(await rowsOf('bus', forms[0])).toEqual([]);
  });

  test('one that is refused holds nobody, and is late when a person sends it after all', async () => {
    const forms = orderForms();
    proxies.bus.conduct = ({ body }: Seen) => {
      const { Entries } = JSON.parse(body);
      const bad = (entry: { DetailType: string }) => entry.DetailType === 'OrderPlaced';
      if (!Entries.some(bad)) return undefined;
      return {
        status: 200,
        body: JSON.stringify({
          FailedEntryCount: 1,
          Entries: Entries.map(() => ({ ErrorCode: 'MalformedDetail' })),
        }),
      };
    };
    await takeAll('notify', ...recordsOf(forms));
    expect(eventsOf(forms[0])).toEqual(['OrderPaid', 'OrderShipped']);
    expect(await rowsOf('bus', forms[0])).toMatchObject([{ state: 'refused', reason: 'MalformedDetail' }]);
    proxies.bus.calm();
    expect((await redriveLater()).items).toBe(0);
    const unit = { sink: 'bus', item: nameOf(forms[0]), settled: true };
    const { sinks } = await redriveItem(world.app, world.connections, unit, never);
    expect(sinks.bus).toMatchObject({ applied: 1, late: 1 });
    expect(eventsOf(forms[0]).at(-1)).toEqual('OrderPlaced late');
  });

  test('a hold that cannot be read sends nothing, and the batch is answered', async () => {
    const [record] = history(undefined, orderForms()[0]);
    proxies.dynamodb.conduct = ({ operation, body }: Seen) =>
      operation === 'BatchGetItem' && body.includes(holdKey) ? down() : undefined;
    expect(await world.take('notify', eventOf(record as DynamoDBRecord))).toEqual({
      batchItemFailures: [{ itemIdentifier: record?.dynamodb?.SequenceNumber }],
    });
    expect(proxies.bus.seen).toEqual([]);
  });

  test('two redrives at once send nothing twice, and neither stops the other', async () => {
    const all = Array.from({ length: 12 }, orderForms);
    proxies.bus.conduct = down;
    for (const forms of all) await takeAll('notify', ...recordsOf(forms));
    const parkedOfBus = async () =>
      (await world.allParkedRows()).filter(({ pk }) => String(pk).startsWith('bus/'));
    expect(await parkedOfBus()).toHaveLength(12 * 4); // a hold and three changes
    proxies.bus.calm();
    clock.milliseconds += hour;
    await Promise.all([redrive(), redrive(), redrive()]);
    for (const forms of all) expect(eventsOf(forms[0])).toEqual(['OrderPlaced', 'OrderPaid', 'OrderShipped']);
    expect((await parkedOfBus()).filter(({ sk }) => sk !== holdKey)).toEqual([]);
    // One that looks after old changes renews their hold; where another has it just then, the next run takes it away.
    await redrive();
    expect(await parkedOfBus()).toEqual([]);
    for (const forms of all) expect(eventsOf(forms[0])).toEqual(['OrderPlaced', 'OrderPaid', 'OrderShipped']);
  });

  test('what the stream parks while a redrive is at it is not forgotten', async () => {
    const forms = orderForms();
    const [placed, paid] = recordsOf(forms);
    proxies.bus.conduct = down;
    await takeAll('notify', placed);
    const meanwhile = Promise.withResolvers<void>();
    proxies.bus.conduct = async () => {
      proxies.bus.calm();
      // The redrive has sent the first event and not yet let go of the item when the second one comes.
      await takeAll('notify', paid);
      meanwhile.resolve();
      return undefined;
    };
    clock.milliseconds += hour;
    await redrive();
    await meanwhile.promise;
    expect(await holdOf('bus', forms[0])).toMatchObject({ state: 'waiting' });
    await redriveLater();
    expect(eventsOf(forms[0])).toEqual(['OrderPlaced', 'OrderPaid']);
    expect(await rowsOf('bus', forms[0])).toEqual([]);
  });

  test('while the bus is down one probe goes, and the others wait', async () => {
    const all = Array.from({ length: 5 }, orderForms);
    proxies.bus.conduct = down;
    for (const forms of all) await takeAll('notify', ...history(undefined, forms[0]));
    for (let time = 0; time < 3; time++) {
      proxies.bus.seen.length = 0;
      expect((await redriveLater()).sinks.bus).toMatchObject({ waiting: 1, dead: 0 });
      const entries = proxies.bus.seen.flatMap(({ body }) => JSON.parse(body).Entries);
      // It may be sent again at once, but nothing else is.
      expect(new Set(entries.map(({ Detail }) => JSON.parse(Detail).meta.eventId)).size).toBe(1);
    }
    proxies.bus.calm();
    expect((await redriveLater()).sinks.bus).toMatchObject({ applied: 5, dead: 0 });
  });

  test('what is answered badly twenty times is dead, stays, and holds nobody any more', async () => {
    const forms = orderForms();
    proxies.bus.conduct = ({ body }: Seen) => {
      const { Entries } = JSON.parse(body);
      if (!Entries.some((entry: { DetailType: string }) => entry.DetailType === 'OrderPlaced'))
        return undefined;
      return { status: 200, body: JSON.stringify({ FailedEntryCount: 0, Entries: [] }) };
    };
    await takeAll('notify', ...history(undefined, forms[0], forms[1]));
    for (let attempt = 0; attempt < 20; attempt++) await redriveLater();
    expect(eventsOf(forms[0])).toEqual(['OrderPaid']);
    expect(await rowsOf('bus', forms[0])).toMatchObject([{ state: 'dead', attempts: 20 }]);
    await takeAll('notify', ...history(forms[1], forms[2]));
    expect(eventsOf(forms[0])).toEqual(['OrderPaid', 'OrderShipped']);
  });
});

describe('a sink that is paused', () => {
  test('parks, is not redriven, and goes on in order when it is resumed', async () => {
    const forms = orderForms();
    const [placed, paid] = recordsOf(forms);
    await setPaused(world.connections, 'bus', true, 'somebody');
    clock.milliseconds += 2_000;
    await takeAll('notify', placed);
    expect((await redriveLater()).sinks.bus).toBeUndefined();
    expect(proxies.bus.seen).toEqual([]);
    await setPaused(world.connections, 'bus', false, 'somebody');
    clock.milliseconds += 2_000;
    await takeAll('notify', paid);
    expect(eventsOf(forms[0])).toEqual([]);
    await redriveLater();
    expect(eventsOf(forms[0])).toEqual(['OrderPlaced', 'OrderPaid']);
  });
});

test('email: what the outbox did not take is there afterwards, once, in order', async () => {
  const forms = orderForms();
  proxies.dynamodb.conduct = ({ body }: Seen) =>
    body.includes(world.config.SLUICE_OUTBOX_TABLE) ? down() : undefined;
  await takeAll('notify', ...recordsOf(forms));
  proxies.dynamodb.calm();
  await redriveLater();
  await takeAll('notify', ...recordsOf(forms));
  expect((await world.outboxRows(nameOf(forms[0]))).map(({ email }) => email)).toEqual([
    'orderConfirmation',
    'orderShipped',
  ]);
});
