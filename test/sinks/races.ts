/** Races about one cache: the shop's writers, readers that can be stopped anywhere, and the stream behind them. */
import type { DynamoDBRecord } from 'aws-lambda';
import { expect } from 'vitest';
import { compareCache } from '../../src/local/proof/cache.ts';
import { openStream } from '../../src/pipeline/stream.ts';
import { orderIdOf, type Product, shop } from '../../src/shop/commands.ts';
import { customer } from '../../src/shop/entities/customer.ts';
import { order } from '../../src/shop/entities/order.ts';
import { product } from '../../src/shop/entities/product.ts';
import { readsOf } from '../../src/shop/reads.ts';
import { forget } from '../../src/sinks/cache/forget.ts';
import { memoryCache } from '../../src/sinks/cache/memory.ts';
import type { CachePort } from '../../src/sinks/cache/port.ts';
import { readThrough } from '../../src/sinks/cache/read.ts';
import { redisCache } from '../../src/sinks/cache/redis.ts';
import type { Change } from '../../src/table/change.ts';
import type { Entity, Fields } from '../../src/table/entity.ts';
import { WriteError } from '../../src/table/errors.ts';
import { get } from '../../src/table/read.ts';
import type { Changes } from '../../src/table/write/update.ts';
import { eventOf } from '../support/records.ts';
import { by } from '../support/shop.ts';
import { ada, fresh, lamp } from './items.ts';
import { startRedis } from './redis.ts';
import { openStreamOf } from './stream.ts';
import { allTaken, openWorld } from './world.ts';

type World = Awaited<ReturnType<typeof openWorld>>;
type Read = ReturnType<typeof readsOf>[number];
export type Race = Awaited<ReturnType<typeof openRace>>;

export type Subject = {
  port: CachePort;
  /** Lets so many milliseconds pass, for the shop and for the cache. */
  pass(milliseconds: number): Promise<void>;
  stop(): Promise<void>;
};

export async function openTrack() {
  const world = await openWorld();
  world.clock.milliseconds = Date.now();
  return { world, newRecords: await openStreamOf(world) };
}

export async function inMemory(world: World): Promise<Subject> {
  return onWorldsClock(world, memoryCache(world.connections.now));
}

export async function inPlain(world: World): Promise<Subject> {
  return onWorldsClock(world, plainCache(world.connections.now));
}

function onWorldsClock({ clock }: World, port: CachePort): Subject {
  const pass = async (milliseconds: number) => {
    clock.milliseconds += milliseconds;
  };
  return { port, pass, stop: () => port.close() };
}

/** A Redis has a clock of its own: what it holds is made older instead. */
const older = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  redis.call('PEXPIRE', key, redis.call('PTTL', key) - ARGV[1])
end`;

export async function inRedis({ clock }: World): Promise<Subject> {
  const server = await startRedis();
  const port = redisCache(server.url, 'race:');
  return {
    port,
    async pass(milliseconds) {
      clock.milliseconds += milliseconds;
      await server.raw.eval(older, 0, milliseconds);
    },
    async stop() {
      await port.close();
      await server.stop();
    },
  };
}

/** Get, set and del, as a cache is often used: whoever has read may set, whatever became of the key since. */
function plainCache(now: () => number): CachePort {
  const held = new Map<string, { value: string; until: number }>();
  const current = (key: string) => {
    const one = held.get(key);
    return one !== undefined && one.until > now() ? one.value : undefined;
  };
  return {
    async read(key) {
      const value = current(key);
      return value === undefined ? { token: 'anybody’s' } : { value };
    },
    async fill(key, _token, value, milliseconds) {
      held.set(key, { value, until: now() + milliseconds });
      return true;
    },
    async invalidate(keys) {
      return keys.map((key) => {
        held.delete(key);
        return true;
      });
    },
    peek: async (key) => current(key),
    async close() {},
  };
}

/** How far an index that lags is behind its table. */
export const lagMilliseconds = 1_000;

/** What a list may be held for at most (see src/shop/reads.ts), and the lag of what it was read from. */
export const listMilliseconds = 5_000 + lagMilliseconds;

/** A read that answers as it would have one lag ago; `note` is to be called whenever the answer may be another. */
function lagging({ key, read, ...how }: Read, now: () => number) {
  const past: { at: number; value: unknown }[] = [];
  return {
    ...how,
    key,
    async note() {
      past.push({ at: now(), value: await read() });
    },
    read: async () => (past.findLast(({ at }) => at <= now() - lagMilliseconds) ?? past[0])?.value,
  };
}

type Actor = { isOver(): boolean; goOn(): Promise<void>; finish(): Promise<void> };

/** Begins a work and comes back when it has paused or is over; it goes on when it is told to, or never. */
async function begin(work: (pause: () => Promise<void>) => Promise<unknown>): Promise<Actor> {
  let [paused, resumed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let isOver = false;
  const over = work(() => {
    paused.resolve();
    return resumed.promise;
  }).then(() => {
    isOver = true;
  });
  const goOn = async () => {
    const resume = resumed.resolve;
    [paused, resumed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    resume();
    await Promise.race([paused.promise, over]);
  };
  await Promise.race([paused.promise, over]);
  return {
    isOver: () => isOver,
    goOn,
    async finish() {
      while (!isOver) await goOn();
    },
  };
}

/** What was written, as the one who wrote it lets the cache forget it. */
type Written = [Entity, ...(Fields | undefined)[]];

/** The writers of a race: two lamps that move between two categories, and a customer who orders them. */
function openWriters({ store }: World) {
  const commands = shop(store);
  const userId = fresh('user');
  const lamps = [fresh('lamp'), fresh('lamp')] as const;
  const categories = [fresh('category'), fresh('category')] as const;
  const carts = [fresh('cart'), fresh('cart')] as const;
  const orderIds = carts.map((idempotencyKey) => orderIdOf({ userId, idempotencyKey }));
  const found = (nth: number) => get(store, product, { productId: lamps[nth % 2] ?? '' });

  async function update(nth: number, changes: Changes<Product>): Promise<Written | undefined> {
    const before = await found(nth);
    if (before === undefined) return undefined;
    const { productId } = before.item;
    const after = await commands.updateProduct(productId, before.version, changes, by());
    return [product, before.item, after.item];
  }

  const writes = {
    price: (nth: number, number: number) => update(nth, { price: number }),
    move: (nth: number, number: number) => update(nth, { category: categories[number % 2] ?? '' }),
    async restock(nth: number, number: number): Promise<Written> {
      await commands.restockProduct(lamps[nth % 2] ?? '', number, by());
      return [product, (await found(nth))?.item];
    },
    async add(nth: number, number: number): Promise<Written> {
      const item = lamp(lamps[nth % 2] ?? '', { category: categories[number % 2], stock: 1_000 });
      await commands.addProduct(item as Product, by());
      return [product, item];
    },
    async remove(nth: number): Promise<Written> {
      const before = await found(nth);
      await commands.removeProduct(lamps[nth % 2] ?? '', by());
      return [product, before?.item];
    },
    async place(nth: number, number: number): Promise<Written> {
      const items = [{ productId: lamps[number % 2] ?? '', quantity: 1 }];
      const idempotencyKey = carts[nth % 2] ?? '';
      await commands.placeOrder({ userId, idempotencyKey, items }, by('tester', idempotencyKey));
      return [order, { userId, orderId: orderIds[nth % 2] }];
    },
    async pay(nth: number): Promise<Written | undefined> {
      const key = { userId, orderId: orderIds[nth % 2] ?? '' };
      const before = await commands.order(key);
      if (before === undefined) return undefined;
      await commands.setOrderStatus(key, before.version, 'paid', by());
      return [order, key];
    },
    async rename(_nth: number, number: number): Promise<Written | undefined> {
      const before = await get(store, customer, { userId });
      if (before === undefined) return undefined;
      await commands.updateCustomer(userId, before.version, { name: `Ada ${number}` }, by());
      return [customer, { userId }];
    },
  };

  /** Each way in which any of it is read. */
  const reads: Read[] = [
    ...readsOf(store, customer, { userId }),
    ...orderIds.flatMap((orderId) => readsOf(store, order, { userId, orderId })),
    ...lamps.flatMap((productId) =>
      categories.flatMap((category) => readsOf(store, product, { productId, category })),
    ),
  ];
  return {
    userId,
    lamps,
    categories,
    writes,
    reads: [...new Map(reads.map((read) => [read.key, read])).values()],
    async open() {
      const { name, email, marketing } = ada(userId) as { name: string; email: string; marketing: boolean };
      await commands.registerCustomer({ userId, name, email, marketing }, by());
      await writes.add(0, 0);
      await writes.add(1, 1);
    },
  };
}

export type Write = keyof ReturnType<typeof openWriters>['writes'];

const isList = (read: Read) => 'milliseconds' in read;

/** `lags`: lists are read from an index that is behind the table. */
export async function openRace(
  { world, newRecords }: Awaited<ReturnType<typeof openTrack>>,
  { port, pass }: Subject,
  { lags = false } = {},
) {
  const { now } = world.connections;
  const project = openStream(world.app, 'project', { ...world.connections, cache: port });
  const { writes, open: openShop, reads: truths, ...ids } = openWriters(world);
  const indices = lags ? truths.filter(isList).map((read) => lagging(read, now)) : [];
  const noteAll = () => Promise.all(indices.map((index) => index.note()));
  const reads = truths.map((read): Read => indices.find(({ key }) => key === read.key) ?? read);
  const actors: Actor[] = [];
  const readers: Actor[] = [];
  const untaken: DynamoDBRecord[] = [];
  const changes: Change[] = [];
  await noteAll();
  await openShop();
  await noteAll();

  async function act(work: Parameters<typeof begin>[0]): Promise<Actor> {
    const actor = await begin(work);
    actors.push(actor);
    return actor;
  }

  const race = {
    ...ids,
    port,
    pass,
    keys: reads.map(({ key }) => key),
    /** The key's value as a reader of the table has it, past the cache. */
    fresh: (key: string) => truths.find((read) => read.key === key)?.read(),

    /** A reader, in a process of its own; it pauses before it reads the table, and again before it fills. */
    read(key: string, seen: { loads: number } = { loads: 0 }): Promise<Actor & { value(): unknown }> {
      const chosen = reads.find((read) => read.key === key);
      if (chosen === undefined) throw new Error(`Nobody reads ${key}.`);
      let value: unknown;
      const reader = act(async (pause) => {
        value = await readThrough({
          port: { ...port },
          now,
          ...chosen,
          async read() {
            await pause();
            const loaded = await chosen.read();
            seen.loads++;
            await pause();
            return loaded;
          },
        });
      });
      return reader.then((actor) => {
        readers.push(actor);
        return { ...actor, value: () => value };
      });
    },

    /** A writer; it pauses before it lets the cache forget what it wrote. What the shop refuses is no write. */
    async write(kind: Write, nth = 0, number = 0): Promise<Actor> {
      const writer = await act(async (pause) => {
        const written = await writes[kind](nth, number).catch(unlessRefused);
        await pause();
        if (written !== undefined) await forget(port, ...written);
      });
      await noteAll();
      return writer;
    },

    /** The stream's next records, as many as there are of that many, reach the cache in one batch. */
    async take(count = Number.POSITIVE_INFINITY): Promise<void> {
      untaken.push(...(await newRecords()));
      const batch = untaken.splice(0, count);
      if (batch.length === 0) return;
      for (const record of batch) {
        const decoded = world.app.decode(record);
        if (decoded.verdict === 'change') changes.push(decoded.change);
      }
      expect(await project(eventOf(...structuredClone(batch)))).toEqual(allTaken);
    },

    /** Whoever has paused, readers and writers, goes on by one pause. */
    async goOn(nth: number): Promise<void> {
      const open = actors.filter((actor) => !actor.isOver());
      await open[nth % open.length]?.goOn();
    },

    /** All readers fill. A writer who has paused is dead: the stream alone tells what it wrote. */
    async finish(): Promise<void> {
      await Promise.all(readers.map((actor) => actor.finish()));
    },

    /** What the cache holds of all that has changed, and the table has no more. */
    async stale(which: 'all' | 'items' = 'all'): Promise<string[]> {
      const readsToo: typeof readsOf = (...item) =>
        readsOf(...item).filter((read) => which === 'all' || !isList(read));
      return (await compareCache(port, world.store, changes, readsToo)).stale;
    },

    /** Reads everything once more, and tells which keys are then held. */
    async warm(): Promise<string[]> {
      for (const key of race.keys) await race.read(key).then((reader) => reader.finish());
      const held = await Promise.all(race.keys.map(async (key) => ({ key, text: await port.peek(key) })));
      return held.flatMap(({ key, text }) => (text === undefined ? [] : [key]));
    },

    /** Which keys have a value in the table. */
    async present(): Promise<string[]> {
      const values = await Promise.all(truths.map(async ({ key, read }) => ({ key, value: await read() })));
      return values.flatMap(({ key, value }) => (value === undefined ? [] : [key]));
    },
  };
  return race;
}

function unlessRefused(error: unknown): undefined {
  if (!(error instanceof WriteError) || error.name === 'Unknown') throw error;
}
