import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memoryCache } from '../../src/sinks/cache/memory.ts';
import { type Cached, readThrough } from '../../src/sinks/cache/read.ts';
import { ExactNumber } from '../../src/table/attributes.ts';
import { fresh } from './items.ts';

let now = 1_000_000;
const port = memoryCache(() => now);

/** Reads through the cache, and counts how often the table was asked. */
function reading<Value>(value: Value | undefined, options: Partial<Cached<Value>> = {}) {
  const read = { key: fresh('key'), times: 0 };
  return Object.assign(read, {
    again: () =>
      readThrough<Value>({
        port,
        key: read.key,
        now: () => now,
        random: () => 0,
        async read() {
          read.times++;
          return value;
        },
        ...options,
      }),
  });
}

test('the first reader asks the table, the next ones the cache', async () => {
  const read = reading({ name: 'Lamp' });
  expect(await read.again()).toEqual({ name: 'Lamp' });
  expect(await read.again()).toEqual({ name: 'Lamp' });
  expect(read.times).toBe(1);
});

test('what is not there is never cached', async () => {
  const read = reading(undefined);
  expect([await read.again(), await read.again()]).toEqual([undefined, undefined]);
  expect(read.times).toBe(2);
  expect(await port.peek(read.key)).toBeUndefined();
});

test.each([null, false, 0, '', []])('%j is an answer, and is cached', async (value) => {
  const read = reading<unknown>(value);
  expect([await read.again(), await read.again()]).toEqual([value, value]);
  expect(read.times).toBe(1);
});

test('without a cache every reader asks the table', async () => {
  const read = reading('Lamp', { port: undefined });
  expect([await read.again(), await read.again()]).toEqual(['Lamp', 'Lamp']);
  expect(read.times).toBe(2);
});

test('a write between the read and the fill leaves nothing old behind', async () => {
  const read = reading('old', {
    async read() {
      await port.invalidate([read.key]);
      return 'old';
    },
  });
  expect(await read.again()).toBe('old');
  expect(await port.peek(read.key)).toBeUndefined();
});

test('a value lives five minutes, or as long as it is told', async () => {
  const [usual, brief] = [reading('Lamp'), reading('Lamp', { milliseconds: 5_000 })];
  await Promise.all([usual.again(), brief.again()]);
  now += 4_999;
  expect(await port.peek(brief.key)).toBeDefined();
  now += 1;
  expect(await port.peek(brief.key)).toBeUndefined();
  now += 294_999;
  expect(await port.peek(usual.key)).toBeDefined();
  now += 1;
  expect(await port.peek(usual.key)).toBeUndefined();
});

test('values that were filled together end one after the other, none later than it was told', async () => {
  const start = now;
  const reads = [1, 0.5, 0].map((random) => reading('Lamp', { milliseconds: 5_000, random: () => random }));
  const held = async () =>
    (await Promise.all(reads.map(({ key }) => port.peek(key)))).map((text) => text !== undefined);
  for (const read of reads) await read.again();
  now = start + 4_499;
  expect(await held()).toEqual([true, true, true]);
  now = start + 4_500;
  expect(await held()).toEqual([false, true, true]);
  now = start + 4_750;
  expect(await held()).toEqual([false, false, true]);
  now = start + 5_000;
  expect(await held()).toEqual([false, false, false]);
});

test('unless it is told, a value ends within the last tenth of its time, by chance', async () => {
  const lives: number[] = [];
  const watched = memoryCache(() => now);
  const { fill } = watched;
  watched.fill = (key, token, value, milliseconds) => {
    lives.push(milliseconds);
    return fill(key, token, value, milliseconds);
  };
  for (let times = 0; times < 100; times++)
    await readThrough({ port: watched, key: fresh('key'), milliseconds: 5_000, read: async () => 'Lamp' });
  expect(new Set(lives).size).toBeGreaterThan(90);
  expect(Math.min(...lives)).toBeGreaterThanOrEqual(4_500);
  expect(Math.max(...lives)).toBeLessThanOrEqual(5_000);
});

test('no value outlives its item, and one that has expired is not cached', async () => {
  const start = now;
  const short = reading({ until: start + 2_000 }, { expiresAt: ({ until }) => until });
  const over = reading({ until: start }, { expiresAt: ({ until }) => until });
  const long = reading({ until: start + 1e9 }, { expiresAt: ({ until }) => until, milliseconds: 3_000 });
  const never = reading('Lamp', { expiresAt: () => undefined, milliseconds: 3_000 });
  for (const read of [short, over, long, never]) await read.again();
  expect(await port.peek(over.key)).toBeUndefined();
  now = start + 1_999;
  expect(await port.peek(short.key)).toBeDefined();
  now = start + 2_000;
  expect(await port.peek(short.key)).toBeUndefined();
  expect(await port.peek(long.key)).toBeDefined();
  now = start + 3_000;
  expect(await port.peek(long.key)).toBeUndefined();
  expect(await port.peek(never.key)).toBeUndefined();
});

test('an error of the table is the reader’s, and is not cached', async () => {
  const read = reading('', { read: () => Promise.reject(new Error('no table')) });
  await expect(read.again()).rejects.toThrow('no table');
  expect(await port.peek(read.key)).toBeUndefined();
});

async function hold(key: string, text: string) {
  const held = await port.read(key);
  await port.fill(key, 'token' in held ? held.token : '', text, 60_000);
}

test.each(['', 'not JSON', '{"X":"1"}', '"text"', '{"S":1}'])(
  'a value that cannot be read, such as %j, costs no answer',
  async (text) => {
    const read = reading('Lamp');
    await hold(read.key, text);
    expect(await read.again()).toBe('Lamp');
    expect(read.times).toBe(1);
  },
);

test.each([
  ['a value that no attribute can hold', { size: Number.NaN }],
  ['an empty set', new Set()],
])('%s is answered, though it cannot be cached', async (_what, value) => {
  const read = reading<unknown>(value);
  expect(await read.again()).toBe(value);
  expect(await port.peek(read.key)).toBeUndefined();
});

test('sets, binary and exact numbers come back as they went in', async () => {
  const value = {
    tags: new Set(['a', 'b']),
    sizes: new Set([1, 2.5]),
    keys: new Set([new Uint8Array([1]), new Uint8Array([255, 0])]),
    photo: new Uint8Array([0, 128, 255]),
    big: new ExactNumber('12345678901234567890.123'),
    none: null,
    list: [{ deep: [new Uint8Array()] }],
  };
  const read = reading(value);
  await read.again();
  expect(isDeepStrictEqual(await read.again(), value)).toBe(true);
  expect(read.times).toBe(1);
});

test('a Buffer comes back as the same bytes', async () => {
  const read = reading({ photo: Buffer.from([0, 128, 255]), all: new Set([Buffer.from('a')]) });
  await read.again();
  expect(await read.again()).toEqual({
    photo: new Uint8Array([0, 128, 255]),
    all: new Set([new Uint8Array([97])]),
  });
});

const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));
const set = <Value>(member: fc.Arbitrary<Value>) =>
  fc.uniqueArray(member, { minLength: 1 }).map((members) => new Set(members));
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    number,
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array(),
    set(fc.string()),
    set(number),
    fc.array(tie('value')),
    fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), tie('value'), { noNullPrototype: true }),
  ),
}));

test('whatever an item can hold comes back as it went in', async () => {
  await fc.assert(
    fc.asyncProperty(anyValue, async (value) => {
      const read = reading<unknown>(value);
      await read.again();
      expect(isDeepStrictEqual(await read.again(), value)).toBe(true);
      expect(read.times).toBe(1);
    }),
  );
});
