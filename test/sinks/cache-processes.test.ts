/** Races of several processes about one real cache: a writer who tells it of each write, and readers who fill it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'iovalkey';
import { describe, expect, test } from 'vitest';
import { openCache } from '../../src/sinks/cache/open.ts';
import { toText } from '../../src/sinks/cache/read.ts';
import { type Course, keysOf, type Seen } from './raceCourse.ts';
import { hasRedis, startRedis, unlessRedis } from './redis.ts';
import { startCluster } from './redisCluster.ts';

const rounds = 60;
const keys = Array.from({ length: rounds }, (_, round) => keysOf(round)).flat();

/** What it says next; it must not end before. */
async function next(racer: ChildProcess): Promise<unknown> {
  const end = once(racer, 'exit').then(() => Promise.reject(new Error('a process of the race is gone')));
  end.catch(() => {});
  const [message] = await Promise.race([once(racer, 'message'), end]);
  return message;
}

/** Runs a race over that cache; `meanwhile` happens to the cache under way. */
async function race(
  way: Course['way'],
  cache: string,
  peek: (key: string) => Promise<string | undefined>,
  meanwhile: () => Promise<void> = async () => {},
) {
  const table = await startRedis();
  const join = async (role: Course['role']) => {
    const course: Course = { role, way, cache, table: table.port, rounds };
    const racer = fork(new URL('./racer.ts', import.meta.url), [JSON.stringify(course)], { execArgv: [] });
    await next(racer);
    return racer;
  };
  const [writer, ...readers] = (await Promise.all([
    join('writer'),
    ...Array.from({ length: 3 }, () => join('readers')),
  ])) as [ChildProcess, ...ChildProcess[]];
  const written = next(writer);
  for (const racer of [writer, ...readers]) racer.send('go');
  await Promise.all([written, meanwhile()]);
  const seen = await Promise.all(
    readers.map(async (reader) => {
      const told = next(reader);
      reader.send('stop');
      return (await told) as Seen;
    }),
  );
  const sum = (what: keyof Seen) => seen.reduce((total, one) => total + one[what], 0);
  const held = await Promise.all(keys.map(async (key) => ({ key, text: await peek(key) })));
  const versions = await table.raw.mget(keys.map((key) => `item:${key}`));
  await table.stop();
  return {
    reads: sum('reads'),
    loads: sum('loads'),
    tooOld: sum('tooOld'),
    held: held.filter(({ text }) => text !== undefined).length,
    stale: held.filter(({ text }, at) => text !== undefined && text !== toText(Number(versions[at]))),
  };
}

async function raceWithTokens(url: string, meanwhile?: () => Promise<void>) {
  const port = openCache(url, 'race:');
  const outcome = await race('tokens', url, (key) => port.peek(key), meanwhile);
  await port.close();
  return outcome;
}

describe.skipIf(!hasRedis)(`four processes${unlessRedis}`, () => {
  test('leave nothing stale in one Redis, and nobody is given what is too old', async () => {
    const server = await startRedis();
    const { reads, loads, tooOld, held, stale } = await raceWithTokens(server.url);
    await server.stop();
    expect({ tooOld, stale }).toEqual({ tooOld: 0, stale: [] });
    // It was a cache meanwhile.
    expect(held).toBeGreaterThan(keys.length / 2);
    expect(loads * 2).toBeLessThan(reads);
  });

  test('leave nothing stale in a cluster, of which a node is killed and comes back', async () => {
    const cluster = await startCluster();
    const { tooOld, held, stale } = await raceWithTokens(cluster.url, async () => {
      await wait(500);
      await cluster.nodes[1]?.kill();
      await wait(500);
      await cluster.nodes[1]?.restart();
      await cluster.whole();
    });
    await cluster.stop();
    expect({ tooOld, stale }).toEqual({ tooOld: 0, stale: [] });
    expect(held).toBeGreaterThan(keys.length / 4);
  });

  test('leave much that is stale where it is done with get, set and del', async () => {
    const server = await startRedis();
    const redis = new Redis(server.url, { keyPrefix: 'race:' });
    const { tooOld, stale } = await race(
      'plain',
      server.url,
      async (key) => (await redis.get(key)) ?? undefined,
    );
    redis.disconnect();
    await server.stop();
    expect(tooOld).toBeGreaterThan(0);
    expect(stale.length).toBeGreaterThan(0);
  });
});
