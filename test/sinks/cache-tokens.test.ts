/** The token promise, the same in memory, in Redis and in what stands in for Redis on a laptop. */
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCache } from '../../src/local/servers/cache.ts';
import { memoryCache } from '../../src/sinks/cache/memory.ts';
import type { CachePort } from '../../src/sinks/cache/port.ts';
import { redisCache } from '../../src/sinks/cache/redis.ts';
import { fresh } from './items.ts';
import { hasRedis, startRedis, unlessRedis } from './redis.ts';

type Subject = {
  port: CachePort;
  /** Lets so many milliseconds pass for a key. */
  pass(key: string, milliseconds: number): Promise<void>;
  stop(): Promise<void>;
};

/** Time for all keys, which passes when a test says so. */
function virtualTime() {
  let milliseconds = 1_000_000;
  const pass = async (_key: string, more: number) => {
    milliseconds += more;
  };
  return { now: () => milliseconds, pass };
}

async function inMemory(): Promise<Subject> {
  const { now, pass } = virtualTime();
  const port = memoryCache(now);
  return { port, pass, stop: () => port.close() };
}

async function inStandIn(): Promise<Subject> {
  const { now, pass } = virtualTime();
  const server = await startCache({ now });
  const port = redisCache(server.url, 'test:');
  return {
    port,
    pass,
    async stop() {
      await port.close();
      await server.stop();
    },
  };
}

async function inRedis(): Promise<Subject> {
  const server = await startRedis();
  const port = redisCache(server.url, 'test:');
  return {
    port,
    async pass(key, milliseconds) {
      const rest = await server.raw.pttl(`test:${key}`);
      if (rest > milliseconds) await server.raw.pexpire(`test:${key}`, rest - milliseconds);
      else if (rest > 0) await server.raw.pexpire(`test:${key}`, 1).then(() => wait(5));
    },
    async stop() {
      await port.close();
      await server.stop();
    },
  };
}

/** The token of a miss. */
async function missed(port: CachePort, key: string): Promise<string> {
  const held = await port.read(key);
  if ('value' in held) throw new Error('It is no miss.');
  return held.token;
}

describe.each([
  { name: 'in memory', open: inMemory, there: true },
  { name: 'in the stand-in', open: inStandIn, there: true },
  { name: `in Redis${unlessRedis}`, open: inRedis, there: hasRedis },
])('$name', ({ open, there }) => {
  describe.skipIf(!there)('a cache', () => {
    let subject: Subject;
    let port: CachePort;
    beforeAll(async () => {
      subject = await open();
      port = subject.port;
    });
    afterAll(() => subject.stop());

    test('gives on a miss a token, with which it is filled', async () => {
      const key = fresh('key');
      expect(await port.fill(key, await missed(port, key), 'value', 60_000)).toBe(true);
      expect(await port.read(key)).toEqual({ value: 'value' });
      expect(await port.peek(key)).toBe('value');
    });

    test('takes nothing from a reader that read before a write, once the write was told', async () => {
      const key = fresh('key');
      const before = await missed(port, key);
      await port.invalidate([key]);
      expect(await port.fill(key, before, 'old', 60_000)).toBe(false);
      const after = await missed(port, key);
      expect(after).not.toBe(before);
      expect(await port.fill(key, before, 'old', 60_000)).toBe(false);
      expect(await port.fill(key, after, 'new', 60_000)).toBe(true);
      expect(await port.fill(key, before, 'old', 60_000)).toBe(false);
      expect(await port.read(key)).toEqual({ value: 'new' });
    });

    test('gives two readers one token, and only the first of them fills', async () => {
      const key = fresh('key');
      const [one, other] = [await missed(port, key), await missed(port, key)];
      expect(other).toBe(one);
      expect(await port.fill(key, one, 'first', 60_000)).toBe(true);
      expect(await port.fill(key, other, 'second', 60_000)).toBe(false);
      expect(await port.peek(key)).toBe('first');
    });

    test('refuses a token that it never gave, also for a key that nobody has read', async () => {
      const key = fresh('key');
      expect(await port.fill(key, 'made up', 'value', 60_000)).toBe(false);
      await missed(port, key);
      expect(await port.fill(key, 'made up', 'value', 60_000)).toBe(false);
      expect(await port.fill(key, '', 'value', 60_000)).toBe(false);
      expect(await port.peek(key)).toBeUndefined();
    });

    test('refuses a token after ten seconds, and takes it until then', async () => {
      const [late, soon] = [fresh('key'), fresh('key')];
      const [lateToken, soonToken] = [await missed(port, late), await missed(port, soon)];
      await subject.pass(soon, 9_000);
      expect(await port.fill(soon, soonToken, 'value', 60_000)).toBe(true);
      await subject.pass(late, 10_000);
      expect(await port.fill(late, lateToken, 'value', 60_000)).toBe(false);
      expect(await missed(port, late)).not.toBe(lateToken);
    });

    test('keeps a value for as long as it was told, and not at all for no time', async () => {
      const [key, never] = [fresh('key'), fresh('key')];
      await port.fill(key, await missed(port, key), 'value', 30_000);
      await subject.pass(key, 29_000);
      expect(await port.peek(key)).toBe('value');
      await subject.pass(key, 1_000);
      expect(await port.peek(key)).toBeUndefined();
      expect(await port.fill(never, await missed(port, never), 'value', 0)).toBe(false);
      expect(await port.fill(never, await missed(port, never), 'value', -5)).toBe(false);
      expect(await port.peek(never)).toBeUndefined();
    });

    test('forgets each of many keys, answers for each, and takes keys that it never had', async () => {
      const keys = [fresh('key'), fresh('key'), fresh('key')];
      for (const key of keys.slice(0, 2)) await port.fill(key, await missed(port, key), 'value', 60_000);
      expect(await port.invalidate(keys)).toEqual([true, true, true]);
      for (const key of keys) expect(await port.peek(key)).toBeUndefined();
    });

    test('to peek takes no token', async () => {
      const key = fresh('key');
      const token = await missed(port, key);
      expect(await port.peek(key)).toBeUndefined();
      expect(await port.fill(key, token, 'value', 60_000)).toBe(true);
    });

    test('never holds what is older than a write that it was told of, in whatever order all happens', async () => {
      const step = fc.tuple(fc.constantFrom('miss', 'load', 'fill', 'write', 'tell'), fc.nat(2));
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const key = fresh('key');
          const readers: { token?: string; value?: number }[] = [{}, {}, {}];
          let [written, told] = [0, 0];
          for (const [kind, who] of steps) {
            const { token, value } = readers[who] ?? {};
            if (kind === 'write') written++;
            if (kind === 'miss') {
              const held = await port.read(key);
              readers[who] = 'token' in held ? { token: held.token } : {};
            }
            if (kind === 'load' && token !== undefined) readers[who] = { token, value: written };
            if (kind === 'fill' && token !== undefined && value !== undefined)
              await port.fill(key, token, String(value), 60_000);
            if (kind === 'tell') {
              await port.invalidate([key]);
              told = written;
            }
            expect(Number((await port.peek(key)) ?? told)).toBeGreaterThanOrEqual(told);
          }
        }),
        { numRuns: 200 },
      );
    });
  });
});
