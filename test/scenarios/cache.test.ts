/** What the cache builds on: the commands and scripts that it sends to Redis. */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'iovalkey';
import { afterAll, beforeAll, expect } from 'vitest';
import { startCache } from '../../src/local/servers/cache.ts';
import { fillScript, readScript } from '../../src/sinks/cache/commands.ts';
import type { CachePort } from '../../src/sinks/cache/port.ts';
import { redisCache } from '../../src/sinks/cache/redis.ts';
import { type Sentence, scenario } from './scenario.ts';

scenario('cache', ['stand-in', script()], {
  // In a database of its own: others count the keys of the first one.
  redis: (endpoint) => script(`${endpoint}/1`),
});

function script(given?: string) {
  return (sentence: Sentence) => {
    const prefix = `scenario-${randomBytes(4).toString('hex')}:`;
    let url = given ?? '';
    let raw: Redis;
    let stop = async () => {};
    const opened: CachePort[] = [];
    beforeAll(async () => {
      if (given === undefined) ({ url, stop } = await startCache());
      raw = new Redis(url, { retryStrategy: () => null, keyPrefix: prefix });
    });
    afterAll(async () => {
      for (const cache of opened) await cache.close();
      raw.disconnect();
      await stop();
    });

    const open = () => {
      const cache = redisCache(url, prefix);
      opened.push(cache);
      return cache;
    };
    async function missed(cache: CachePort, key: string): Promise<string> {
      const held = await cache.read(key);
      if ('value' in held) throw new Error('It is no miss.');
      return held.token;
    }

    sentence('two clients see what the other writes', async () => {
      const [one, other] = [open(), open()];
      const token = await missed(one, 'lamp');
      expect(await missed(other, 'lamp')).toBe(token);
      await other.fill('lamp', token, 'Lamp', 60_000);
      expect(await one.read('lamp')).toEqual({ value: 'Lamp' });
      await one.invalidate(['lamp']);
      expect(await other.peek('lamp')).toBeUndefined();
    });

    sentence('only who holds the current token fills a key, and only once', async () => {
      const cache = open();
      const early = await missed(cache, 'token');
      await cache.invalidate(['token']);
      const current = await missed(cache, 'token');
      expect(current).not.toBe(early);
      expect(await cache.fill('token', early, 'early', 60_000)).toBe(false);
      expect(await cache.fill('token', current, 'current', 60_000)).toBe(true);
      expect(await cache.fill('token', current, 'again', 60_000)).toBe(false);
      expect(await cache.read('token')).toEqual({ value: 'current' });
    });

    sentence('a value ends when it was told to', async () => {
      const cache = open();
      await cache.fill('short', await missed(cache, 'short'), 'value', 60);
      expect(await cache.peek('short')).toBe('value');
      await wait(80);
      expect(await cache.peek('short')).toBeUndefined();
      expect(await raw.exists('short')).toBe(0);
    });

    sentence('a token ends after ten seconds', async () => {
      await missed(open(), 'taken');
      const left = await raw.pttl('taken');
      expect(left).toBeGreaterThan(9_000);
      expect(left).toBeLessThanOrEqual(10_000);
    });

    sentence('ten thousand invalidations sent together are each answered', async () => {
      const cache = open();
      const keys = Array.from({ length: 10_000 }, (_, index) => `key ${index}`);
      const filled = keys.filter((_, index) => index % 1_000 === 0);
      for (const key of filled) await cache.fill(key, await missed(cache, key), 'value', 60_000);
      expect(new Set(await cache.invalidate(keys))).toEqual(new Set([true]));
      for (const key of filled) expect(await cache.peek(key)).toBeUndefined();
    });

    sentence('a value of 5 MB comes back as it went in, also between others', async () => {
      const cache = open();
      const large = 'ä\r\n$5\r\n'.repeat(655_360).slice(0, 5_000_000);
      const [one, two] = [await missed(cache, 'large'), await missed(cache, 'small')];
      expect(
        await Promise.all([
          cache.fill('large', one, large, 60_000),
          cache.fill('small', two, 'value', 60_000),
          cache.peek('small'),
          cache.peek('large'),
        ]),
      ).toEqual([true, true, 'value', large]);
      await cache.invalidate(['large']);
    });

    sentence('keys, fields and values may have any bytes', async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
      const ending = (...more: number[]) => Buffer.from([...Buffer.from('any'), ...more]);
      const [key, likeIt] = [ending(0x80, 0, 0xff), ending(0x81, 0, 0xff)];
      expect(await raw.hset(key, bytes, bytes)).toBe(1);
      expect(await raw.hgetBuffer(key, bytes)).toEqual(bytes);
      expect(await raw.hget(likeIt, bytes)).toBeNull();
      expect(await raw.hset(key, '', '')).toBe(1);
      expect(await raw.hget(key, '')).toBe('');
      await raw.unlink(key);
    });

    sentence('a key loses its end with itself, and keeps it while fields are set', async () => {
      await raw.hset('end', 'f', '1');
      expect(await raw.pttl('end')).toBe(-1);
      expect(await raw.pexpire('end', 5_000)).toBe(1);
      await raw.hset('end', 'g', '2');
      expect(await raw.pttl('end')).toBeGreaterThan(3_000);
      await raw.unlink('end');
      expect(await raw.pttl('end')).toBe(-2);
      await raw.hset('end', 'f', '1');
      expect(await raw.pttl('end')).toBe(-1);
      await raw.unlink('end');
    });

    sentence('a script that is not known is named so, and is known once it was sent whole', async () => {
      const unknown = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db';
      await expect(raw.evalsha(unknown, 1, 'script')).rejects.toThrow(/^NOSCRIPT/);
      expect(await raw.eval(readScript, 1, 'script', 'token', 10_000)).toEqual([0, 'token']);
      const sha = String(await raw.script('LOAD', fillScript));
      expect(await raw.evalsha(sha.toUpperCase(), 1, 'script', 'other', 'value', 10_000)).toBe(0);
      expect(await raw.evalsha(sha, 1, 'script', 'token', 'value', 10_000)).toBe(1);
      expect(await raw.eval(readScript, 1, 'script', 'later', 10_000)).toEqual([1, 'value']);
      await raw.unlink('script');
    });
  };
}
