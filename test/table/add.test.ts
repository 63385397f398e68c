import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/table/store.ts';
import { type Writer, writer } from '../../src/table/write/writer.ts';
import { by, type LocalShop, localShop } from '../support/shop.ts';
import { aNote, type Note, note, noteKey, putPastSluice, setPastSluice, stored } from './entities.ts';

const time = 1_800_000_000_000;
const first = time * 1000;
let shop: LocalShop;
let store: Store;
let write: Writer;
let item: Note;

beforeAll(async () => {
  shop = await localShop(() => time);
  store = shop.store;
  write = writer(store);
});
afterAll(() => shop?.stop());

beforeEach(async () => {
  item = aNote();
  await write.create(note, item, { actor: 'ada', request: 'creation', reason: 'spring' });
});

const lying = () => stored(store, noteKey(item));

test('an addition changes its fields, the version by one, and the stamps', async () => {
  const before = await lying();
  await write.add(note, item, { count: 2.5, left: -3 }, { actor: 'bob', request: 'r-2' });
  const { _reason, ...kept } = before ?? {};
  expect(await lying()).toEqual({
    ...kept,
    count: 2.5,
    left: 7,
    version: first + 1,
    _actor: 'bob',
    _request: 'r-2',
    _hash: expect.not.stringMatching(`^${before?._hash}$`),
    _requests: [expect.stringMatching(/^r-2#/), expect.stringMatching(/^creation#/)],
  });
  await write.add(note, item, { count: 1 }, { ...by(), reason: 'counted' });
  expect(await lying()).toMatchObject({ _reason: 'counted' });
});

test('fifty at once all count, each with a version of its own', async () => {
  await Promise.all(Array.from({ length: 50 }, () => write.add(note, item, { count: 1 }, by())));
  expect(await lying()).toMatchObject({ count: 50, version: first + 50 });
});

test('nothing goes below zero, whoever takes at the same time', async () => {
  const takers = Array.from({ length: 50 }, () => write.add(note, item, { left: -3, count: 1 }, by()));
  const settled = await Promise.allSettled(takers);
  const refused = settled.flatMap((one) => (one.status === 'rejected' ? one.reason.name : []));
  expect(refused).toEqual(Array(47).fill('GuardFailed'));
  expect(await lying()).toMatchObject({ left: 1, count: 3, version: first + 3 });
  await write.add(note, item, { left: -1 }, by());
  expect(await lying()).toMatchObject({ left: 0 });
});

describe('is refused, and nothing is written,', () => {
  test.each<[string, Record<string, number>, string]>([
    ['more than is left', { left: -11 }, 'GuardFailed'],
    ['more than is left of one of two', { count: 1, left: -11 }, 'GuardFailed'],
    ['no number', { count: Number.NaN }, 'Invalid'],
    ['no finite number', { count: Number.POSITIVE_INFINITY }, 'Invalid'],
    ['a field the entity does not have', { cuont: 1 }, 'Invalid'],
    ['the version', { version: 1 }, 'Invalid'],
    ['a field of the key', { noteId: 1 }, 'Invalid'],
    ['a field of an index key', { tag: 1 }, 'Invalid'],
    ['a field that is a text', { text: 1 }, 'Invalid'],
  ])('%s', async (_, amounts, name) => {
    const before = await lying();
    await expect(write.add(note, item, amounts, by())).rejects.toMatchObject({ name });
    expect(await lying()).toEqual(before);
  });

  test('an item that is not there, was removed, has expired or has no version', async () => {
    const add = () => write.add(note, item, { count: 1 }, by());
    await setPastSluice(store, noteKey(item), '_ttl', time / 1000);
    await expect(add()).rejects.toMatchObject({ name: 'Removed' });
    await write.create(note, item, by());
    await write.remove(note, item, by());
    const tombstone = await lying();
    await expect(add()).rejects.toMatchObject({ name: 'Removed' });
    expect(await lying()).toEqual(tombstone);
    await putPastSluice(store, { ...noteKey(item), ...item, _type: 'Note' });
    await expect(add()).rejects.toMatchObject({ name: 'Invalid' });
    expect(await lying()).not.toHaveProperty('version');
    item = aNote();
    await expect(add()).rejects.toMatchObject({ name: 'NotFound' });
    expect(await lying()).toBeUndefined();
  });

  test('an item that others marked as removed, and left as it was', async () => {
    await setPastSluice(store, noteKey(item), '_removed', 'by hand');
    await expect(write.add(note, item, { count: 1 }, by())).rejects.toMatchObject({ name: 'Removed' });
    expect(await lying()).toMatchObject({ count: 0, version: first });
  });
});

test('a hundred additions are each counted, and the memory of them stays short', async () => {
  for (let number = 0; number < 60; number++) await write.add(note, item, { count: 1 }, by());
  await Promise.all(Array.from({ length: 40 }, () => write.add(note, item, { count: 1 }, by())));
  const { count, _requests } = (await lying()) ?? {};
  expect(count).toBe(100);
  expect(Array.isArray(_requests) && _requests.length).toBeLessThanOrEqual(24);
});

test('a repeat is added once, also after as many others as are remembered', async () => {
  const request = by();
  await write.add(note, item, { count: 5 }, request);
  for (let number = 0; number < 7; number++) await write.add(note, item, { count: 1 }, by());
  await write.add(note, item, { count: 5 }, request);
  expect(await lying()).toMatchObject({ count: 12 });
});

test('a sum beyond what a number holds exactly is refused', async () => {
  const addition = write.add(note, item, { count: Number.MAX_SAFE_INTEGER }, by());
  await addition;
  await expect(write.add(note, item, { count: 1 }, by())).rejects.toMatchObject({ name: 'GuardFailed' });
});
