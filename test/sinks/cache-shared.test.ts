/** Readers of one key at one time, in one process: one of them asks the table, and none is given what is too old. */
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memoryCache } from '../../src/sinks/cache/memory.ts';
import type { CachePort } from '../../src/sinks/cache/port.ts';
import { readThrough } from '../../src/sinks/cache/read.ts';
import { fresh } from './items.ts';

/** A table of one number, and readers who have it from the moment they ask, but are answered when a test says so. */
function openTable(port: CachePort, key = fresh('key')) {
  const table = { written: 0, told: 0, asked: 0 };
  const waiting: PromiseWithResolvers<void>[] = [];
  async function read(): Promise<{ number: number } | undefined> {
    table.asked++;
    const number = table.written;
    const answer = Promise.withResolvers<void>();
    waiting.push(answer);
    await answer.promise;
    return { number };
  }
  return Object.assign(table, {
    key,
    /** A reader, who has got as far as it gets by itself; `there`: whether it finds anything. */
    async reader({ there = true } = {}) {
      const told = table.told;
      const found = there ? read : () => read().then(() => undefined);
      const value = readThrough({ port, key, read: found });
      value.catch(() => {});
      for (let times = 0; times < 5; times++) await turn();
      return { told, value };
    },
    /** The table answers whoever asked first, or one of the others. */
    async answer(nth = 0, error?: Error) {
      const [one] = waiting.splice(waiting.length === 0 ? 0 : nth % waiting.length, 1);
      if (error === undefined) one?.resolve();
      else one?.reject(error);
      for (let times = 0; times < 5; times++) await turn();
    },
    waiting: () => waiting.length,
    async tell() {
      await port.invalidate([key]);
      table.told = table.written;
    },
  });
}

test('a hundred readers at once ask the table once', async () => {
  const port = memoryCache();
  const table = openTable(port);
  const readers = await Promise.all(Array.from({ length: 100 }, () => table.reader()));
  await table.answer();
  expect(await Promise.all(readers.map(({ value }) => value))).toEqual(Array(100).fill({ number: 0 }));
  expect(table.asked).toBe(1);
  expect(await port.peek(table.key)).toBeDefined();
});

test('readers of two keys do not wait for each other', async () => {
  const port = memoryCache();
  const [one, other] = [openTable(port), openTable(port)];
  await Promise.all([one.reader(), other.reader()]);
  expect([one.asked, other.asked]).toEqual([1, 1]);
});

test('each reader may do with its value what it likes', async () => {
  const table = openTable(memoryCache());
  const readers = [await table.reader(), await table.reader(), await table.reader()];
  await table.answer();
  const [first, second, third] = await Promise.all(readers.map(({ value }) => value));
  if (first !== undefined) first.number = 7;
  if (second !== undefined) second.number = 8;
  expect(third).toEqual({ number: 0 });
});

test('whoever begins after a write was told asks anew, and only those from before it get the old value', async () => {
  const port = memoryCache();
  const table = openTable(port);
  const before = await table.reader();
  table.written = 1;
  const untold = await table.reader();
  await table.tell();
  const [after, another] = [await table.reader(), await table.reader()];
  expect(table.asked).toBe(2);
  await table.answer();
  expect(await before.value).toEqual({ number: 0 });
  expect(await untold.value).toEqual({ number: 0 });
  await table.answer();
  expect(await after.value).toEqual({ number: 1 });
  expect(await another.value).toEqual({ number: 1 });
  expect(await port.peek(table.key)).toContain('1');
});

test('a load that has hung for as long as a token lasts is joined no more', async () => {
  let now = 0;
  const table = openTable(memoryCache(() => now));
  await table.reader();
  now = 10_000;
  const late = await table.reader();
  await table.answer(1);
  expect(await late.value).toEqual({ number: 0 });
});

test('an error is told to those who waited for it, and the next reader asks again', async () => {
  const table = openTable(memoryCache());
  const readers = [await table.reader(), await table.reader()];
  await table.answer(0, new Error('no table'));
  for (const { value } of readers) await expect(value).rejects.toThrow('no table');
  const next = await table.reader();
  await table.answer();
  expect(await next.value).toEqual({ number: 0 });
});

test('what is not there is asked for again by the next reader', async () => {
  const table = openTable(memoryCache());
  const readers = [await table.reader({ there: false }), await table.reader({ there: false })];
  await table.answer();
  for (const { value } of readers) expect(await value).toBeUndefined();
  expect(table.asked).toBe(1);
  await table.reader();
  expect(table.asked).toBe(2);
});

test('without a cache that answers, each reader asks for itself', async () => {
  const port = { ...memoryCache(), read: () => Promise.reject(new Error('gone')) };
  const table = openTable(port);
  await Promise.all([table.reader(), table.reader()]);
  expect(table.asked).toBe(2);
});

const kinds = ['reader', 'reader', 'answer', 'fail', 'write', 'tell'] as const;
const step = fc.tuple(fc.constantFrom(...kinds), fc.nat(5));

/** Whoever comes last must not be given what the first one's load will bring. */
const toldInBetween: [(typeof kinds)[number], number][] = [
  ['reader', 0],
  ['write', 0],
  ['tell', 0],
  ['reader', 0],
];

/** In any order: nobody is given less than what had been told of when they began. */
async function anyOrder(port: () => CachePort): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const table = openTable(port());
      const readers: Awaited<ReturnType<typeof table.reader>>[] = [];
      for (const [kind, nth] of steps) {
        if (kind === 'reader') readers.push(await table.reader());
        if (kind === 'answer') await table.answer(nth);
        if (kind === 'fail') await table.answer(nth, new Error('no table'));
        if (kind === 'write') table.written++;
        if (kind === 'tell') await table.tell();
      }
      while (table.waiting() > 0) await table.answer();
      for (const { told, value } of readers) {
        const number = await value.then(
          (read) => read?.number ?? -1,
          () => table.written,
        );
        expect(number, 'older than what was told').toBeGreaterThanOrEqual(told);
      }
    }),
    { numRuns: 200, examples: [[toldInBetween]], includeErrorInReport: true },
  );
}

test('in whatever order, nobody is given what is older than a write that was told before', () =>
  anyOrder(memoryCache));

test('and where loads are told apart by the key alone, somebody is', async () => {
  const keyOnly = () => ({ ...memoryCache(), read: async () => ({ token: 'always the same' }) });
  await expect(anyOrder(keyOnly)).rejects.toThrow('older than what was told');
});
