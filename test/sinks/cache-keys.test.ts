import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { redriveDue } from '../../src/deliveries/redrive.ts';
import { openStream } from '../../src/pipeline/stream.ts';
import { order } from '../../src/shop/entities/order.ts';
import { openCache } from '../../src/sinks/cache/open.ts';
import type { CachePort } from '../../src/sinks/cache/port.ts';
import { eventOf, recordOf } from '../support/records.ts';
import {
  ada,
  customerAt,
  history,
  lamp,
  nameOf,
  orderAt,
  productAt,
  purchase,
  tombstone,
  version,
} from './items.ts';
import { hasRedis, startRedis, unlessRedis } from './redis.ts';
import { allTaken, openWorld } from './world.ts';

const world = await openWorld();
const { cache } = world;

async function hold(port: CachePort, ...keys: string[]) {
  for (const key of keys) {
    const held = await port.read(key);
    if ('token' in held) await port.fill(key, held.token, 'held', 60_000);
  }
}

/** Which of the keys are still held after the records. */
async function left(records: ReturnType<typeof history>, ...keys: string[]): Promise<string[]> {
  await hold(cache, ...keys);
  await world.take('project', eventOf(...records));
  const held = await Promise.all(
    keys.map(async (key) => ((await cache.peek(key)) === undefined ? [] : [key])),
  );
  return held.flat();
}

test('a change empties the keys of its item, and no others', async () => {
  const records = history(customerAt(1, ada('u1')), customerAt(2, ada('u1', { name: 'Ada' })));
  expect(await left(records, 'user:u1', 'user:u2', 'orders-of:u1')).toEqual(['user:u2', 'orders-of:u1']);
});

test('an order that moved from one customer to another empties the lists of both', async () => {
  // Its key holds the customer, so it is two changes: here and gone, there and new.
  const [here, there] = [purchase('o1', { userId: 'u1' }), purchase('o1', { userId: 'u2' })];
  const records = [
    ...history(orderAt(1, here), tombstone(order, here, version(2))),
    ...history(undefined, orderAt(1, there)),
  ];
  expect(await left(records, 'order:o1', 'orders-of:u1', 'orders-of:u2')).toEqual([]);
});

test('a product that changed its category empties the lists of the old one and of the new one', async () => {
  const records = history(productAt(1, lamp('p1')), productAt(2, lamp('p1', { category: 'sale' })));
  expect(await left(records, 'product:p1', 'category:light', 'category:sale', 'category:other')).toEqual([
    'category:other',
  ]);
});

test.each([
  ['a creation', history(undefined, orderAt(1, purchase('o1')))],
  ['a removal', history(orderAt(1, purchase('o1')), tombstone(order, purchase('o1'), version(2)))],
  ['a plain delete', [recordOf({ before: orderAt(1, purchase('o1')) })]],
  ['a change past Sluice', history(orderAt(1, purchase('o1')), orderAt(1, purchase('o1', { total: 1 })))],
])('%s empties the item’s keys', async (_what, records) => {
  expect(await left(records, 'order:o1', 'orders-of:u1')).toEqual([]);
});

test('an item that does not fit its entity empties the keys that it still shows', async () => {
  const before = productAt(1, lamp('p1'));
  const records = history(before, { ...before, version: version(2), price: 'much', category: 'sale' });
  expect(await left(records, 'product:p1', 'category:light', 'category:sale')).toEqual([]);
});

test('an old change taken again empties the keys again, for that is harmless', async () => {
  const records = history(productAt(1, lamp('p1')), productAt(2, lamp('p1')));
  expect(await left(records, 'product:p1')).toEqual([]);
  expect(await left(records, 'product:p1')).toEqual([]);
});

test('keys that many changes share are emptied once', async () => {
  const records = ['p1', 'p2', 'p3'].flatMap((id) => history(undefined, productAt(1, lamp(id))));
  await world.take('project', eventOf(...records));
  expect(world.batches.at(-1)?.sinks.cache).toMatchObject({ applied: 4 });
});

describe('with the cache gone', () => {
  const { invalidate } = cache;
  beforeEach(() => {
    cache.invalidate = () => Promise.reject(new Error('gone'));
  });
  afterEach(() => {
    cache.invalidate = invalidate;
  });

  /** Parks these records; gives which of the keys are held afterwards, once the cache is back. */
  async function recovered(records: ReturnType<typeof history>, ...keys: string[]): Promise<string[]> {
    await hold(cache, ...keys);
    expect(await world.take('project', eventOf(...records))).toEqual(allTaken);
    cache.invalidate = invalidate;
    await world.redrive();
    const held = await Promise.all(keys.map(async (key) => (await cache.peek(key)) !== undefined));
    return keys.filter((_, index) => held[index]);
  }

  test('the keys of each parked change are emptied once it is back', async () => {
    const forms = ['x', 'y', 'z'].map((category, at) => productAt(at + 1, lamp('p7', { category })));
    const keys = ['product:p7', 'category:x', 'category:y', 'category:z', 'category:other'];
    expect(await recovered(history(...forms), ...keys)).toEqual(['category:other']);
  });

  test('keys that no single row holds are parked all the same', async () => {
    const forms = ['x', 'y'].map((letter, at) =>
      productAt(at + 1, lamp('p8', { category: letter.repeat(250_000) })),
    );
    expect(await recovered(history(...forms), 'product:p8')).toEqual([]);
  });
});

describe.skipIf(!hasRedis)(`with Redis${unlessRedis}`, () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  let port: CachePort;
  beforeAll(async () => {
    server = await startRedis();
    port = openCache(server.url, 'shop:');
  });
  afterAll(async () => {
    await port.close();
    await server.stop();
  });

  test('while it is frozen the keys are parked, once for the item, and once it is back they are emptied', async () => {
    const connections = { ...world.connections, cache: port };
    const project = openStream(world.app, 'project', connections);
    const forms = [1, 2, 3].map((at) => productAt(at, lamp('p9')));
    const name = nameOf(forms[0] ?? {});
    const records = history(...forms);
    await hold(port, 'product:p9', 'category:light');
    server.freeze();
    const start = performance.now();
    expect(await project(eventOf(...records))).toEqual(allTaken);
    expect(performance.now() - start).toBeLessThan(8_000);
    expect(world.batches.at(-1)?.sinks.audit).toMatchObject({ applied: 2 });
    const parked = await world.hold('cache', name);
    expect(parked).toMatchObject({ state: 'waiting', view: { version: version(3) } });
    expect(parked?.view?.targets.toSorted()).toEqual(['category:light', 'product:p9']);
    server.thaw();
    await hold(port, 'product:p9', 'category:light');
    world.clock.milliseconds += 6_000;
    await redriveDue(world.app, connections, { signal: new AbortController().signal });
    for (const key of ['product:p9', 'category:light']) expect(await port.peek(key)).toBeUndefined();
    expect(await world.hold('cache', name)).toBeUndefined();
  });
});
