/**
 * One process of a race: the writer, or readers. The table is a Redis of its own, the cache another or a cluster.
 * Writes go round by round over new keys, and readers follow, some so slowly that they fill late.
 */
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'iovalkey';
import { openCache } from '../../src/sinks/cache/open.ts';
import type { CachePort } from '../../src/sinks/cache/port.ts';
import { readThrough } from '../../src/sinks/cache/read.ts';
import { type Course, keysOf, type Seen } from './raceCourse.ts';

const readersAtOnce = 8;

const { role, way, cache, table: tablePort, rounds }: Course = JSON.parse(process.argv[2] ?? '{}');
const table = new Redis(tablePort, '127.0.0.1');
const port = way === 'tokens' ? openCache(cache, 'race:') : plainCache();
process.on('disconnect', () => process.exit()); // whoever began the race is gone
await table.ping();
process.send?.('ready');
await once(process, 'message');
if (role === 'writer') await write();
else await read();
table.disconnect();
await port.close();
process.disconnect();

/** Mostly at once, at times after a while, and now and then late. */
function somewhat(): Promise<void> {
  return wait(Math.random() < 0.1 ? Math.random() * 40 : Math.random() * 4);
}

async function write(): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await table.set('round', round);
    await wait(5); // so that readers have come
    await Promise.all(keysOf(round).map(writeTwice));
  }
  process.send?.('written');
}

async function writeTwice(key: string): Promise<void> {
  for (let times = 0; times < 2; times++) {
    await somewhat();
    const version = await table.incr(`item:${key}`);
    await somewhat();
    // What a cache does not take is told again, as by redrive.
    while ((await port.invalidate([key]).catch(() => []))[0] !== true) await wait(50);
    await table.set(`told:${key}`, version);
  }
}

async function read(): Promise<void> {
  let isOver = false;
  process.once('message', () => {
    isOver = true;
  });
  const seen: Seen = { reads: 0, loads: 0, tooOld: 0 };
  const one = async () => {
    while (!isOver) {
      const keys = keysOf(Number(await table.get('round')));
      const key = keys[Math.floor(Math.random() * keys.length)] ?? '';
      const told = Number(await table.get(`told:${key}`));
      const found = await readThrough({ port, key, read: () => load(key, seen) });
      seen.reads++;
      if (Number(found) < told) seen.tooOld++;
    }
  };
  await Promise.all(Array.from({ length: readersAtOnce }, one));
  process.send?.(seen);
}

async function load(key: string, seen: Seen): Promise<number> {
  seen.loads++;
  const version = Number(await table.get(`item:${key}`));
  await somewhat();
  return version;
}

/** Whoever has read may set, whatever became of the key since. */
function plainCache(): CachePort {
  const redis = new Redis(cache, { keyPrefix: 'race:' });
  return {
    async read(key) {
      const value = await redis.get(key);
      return value === null ? { token: `${Math.random()}` } : { value };
    },
    async fill(key, _token, value, milliseconds) {
      return (await redis.set(key, value, 'PX', Math.ceil(milliseconds))) === 'OK';
    },
    async invalidate(keys) {
      await Promise.all(keys.map((key) => redis.del(key)));
      return keys.map(() => true);
    },
    async peek(key) {
      return (await redis.get(key)) ?? undefined;
    },
    async close() {
      redis.disconnect();
    },
  };
}
