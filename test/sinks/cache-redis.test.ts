/** A Redis that dies, freezes and forgets. */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openCache } from '../../src/sinks/cache/open.ts';
import type { CachePort } from '../../src/sinks/cache/port.ts';
import { readThrough } from '../../src/sinks/cache/read.ts';
import { ExactNumber } from '../../src/table/attributes.ts';
import { fresh } from './items.ts';
import { hasRedis, startRedis, unlessRedis } from './redis.ts';

let server: Awaited<ReturnType<typeof startRedis>>;
let port: CachePort;

async function timed<Value>(work: Promise<Value>): Promise<{ value: Value; milliseconds: number }> {
  const start = performance.now();
  const value = await work;
  return { value, milliseconds: performance.now() - start };
}

const through = (key: string, value: unknown) => readThrough<unknown>({ port, key, read: async () => value });

async function missed(key: string): Promise<string> {
  const held = await port.read(key);
  return 'token' in held ? held.token : 'it is no miss';
}

describe.skipIf(!hasRedis)(`with Redis${unlessRedis}`, () => {
  beforeAll(async () => {
    server = await startRedis();
    port = openCache(server.url, 'shop:');
  });
  afterEach(async () => {
    server.thaw();
    await server.restart();
    await expect
      .poll(() =>
        port.peek('any').then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  });
  afterAll(async () => {
    await port.close();
    await server.stop();
  });

  test('a dead Redis costs no answer and hardly any time, and later it is used again', async () => {
    await server.kill();
    for (let times = 0; times < 3; times++) {
      const { value, milliseconds } = await timed(through('lamp', 'Lamp'));
      expect(value).toBe('Lamp');
      expect(milliseconds).toBeLessThan(900); // it is not waited for: that would be a second
    }
    await server.restart();
    await expect
      .poll(async () => {
        await through('lamp', 'Lamp');
        return port.peek('lamp').catch(() => undefined);
      })
      .toBe('{"S":"Lamp"}');
  });

  test('a frozen Redis costs no answer, and about a second', async () => {
    server.freeze();
    const { value, milliseconds } = await timed(through('lamp', 'Lamp'));
    expect(value).toBe('Lamp');
    expect(milliseconds).toBeLessThan(2_000);
  });

  test('a frozen Redis fails invalidations within two seconds, and says so', async () => {
    server.freeze();
    const { value, milliseconds } = await timed(
      port.invalidate(['one', 'other']).catch((error: Error) => error.message),
    );
    expect(value).toBe('Command timed out');
    expect(milliseconds).toBeLessThan(2_000);
  });

  test('a fill that Redis took up late does not stand after an invalidation', async () => {
    const token = await missed('lamp');
    server.freeze();
    await expect(port.fill('lamp', token, 'old', 60_000)).rejects.toThrow();
    const told = port.invalidate(['lamp']);
    server.thaw();
    expect(await told).toEqual([true]);
    expect(await port.peek('lamp')).toBeUndefined();
  });

  test('a Redis that forgot its scripts is given them again', async () => {
    await server.raw.script('FLUSH');
    expect(await port.fill('lamp', await missed('lamp'), 'Lamp', 60_000)).toBe(true);
    await server.raw.script('FLUSH');
    expect(await port.read('lamp')).toEqual({ value: 'Lamp' });
  });

  test('a Redis that lost everything refuses the tokens that it gave before', async () => {
    const token = await missed('lamp');
    await server.raw.flushall();
    expect(await port.fill('lamp', token, 'Lamp', 60_000)).toBe(false);
  });

  test('a key that others use for something else costs no answer, and the next change empties it', async () => {
    await server.raw.set('shop:lamp', 'theirs');
    expect(await through('lamp', 'Lamp')).toBe('Lamp');
    expect(await port.invalidate(['lamp'])).toEqual([true]);
    expect(await through('lamp', 'Lamp')).toBe('Lamp');
    expect(await port.peek('lamp')).toBe('{"S":"Lamp"}');
  });

  test('whatever is written has its prefix and an end', async () => {
    await missed('token');
    await port.fill('value', await missed('value'), 'Lamp', 60_000);
    expect((await server.raw.keys('*')).sort()).toEqual(['shop:token', 'shop:value']);
    expect(await server.raw.pttl('shop:token')).toBeGreaterThan(9_000);
    expect(await server.raw.pttl('shop:token')).toBeLessThanOrEqual(10_000);
    expect(await server.raw.pttl('shop:value')).toBeGreaterThan(59_000);
    expect(await server.raw.pttl('shop:value')).toBeLessThanOrEqual(60_000);
  });

  test('sets, binary and exact numbers come back as they went in', async () => {
    const value = {
      tags: new Set(['é', '"']),
      photo: new Uint8Array([0, 128, 255]),
      big: new ExactNumber('12345678901234567890.123'),
      text: '\u0000 and \u2028',
    };
    const key = fresh('key');
    await through(key, value);
    expect(isDeepStrictEqual(await through(key, 'not asked'), value)).toBe(true);
  });
});
