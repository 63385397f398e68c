import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Store } from '../../src/table/store.ts';
import { type Writer, writer } from '../../src/table/write/writer.ts';
import { by, type LocalShop, localShop } from '../support/shop.ts';
import { aNote, type Note, note, noteKey, putPastSluice, setPastSluice, stored } from './entities.ts';

const time = 1_800_000_000_000;
const first = time * 1000;
const day = 24 * 3600;
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
  item = aNote({ tag: 'home' });
  await write.create(note, item, { actor: 'ada', request: 'creation' });
});

const lying = () => stored(store, noteKey(item));

test('a removal leaves who and why, and what answers a repeat, but nothing of the item', async () => {
  const before = await lying();
  await setPastSluice(store, noteKey(item), 'unknown', 'x');
  await write.remove(note, item, { actor: 'support', request: 'r-2', reason: 'asked to be forgotten' });
  expect(await lying()).toEqual({
    ...noteKey(item),
    _type: 'Note',
    version: first + 1,
    _removed: '2027-01-15T08:00:00.000Z',
    _ttl: time / 1000 + 35 * day,
    _actor: 'support',
    _reason: 'asked to be forgotten',
    _request: 'r-2',
    _requests: [expect.stringMatching(/^r-2#/), expect.stringMatching(/^creation#/)],
    _hash: expect.stringMatching(/^[\w-]{43}$/),
    _creator: 'creation',
    _created: before?._created,
  });
});

test('the same request again changes nothing', async () => {
  const request = by();
  await write.remove(note, item, request);
  const tombstone = await lying();
  await write.remove(note, item, request);
  await write.remove(note, item, request, first);
  expect(await lying()).toEqual(tombstone);
});

test('another request finds nothing to remove', async () => {
  await write.remove(note, item, by());
  await expect(write.remove(note, item, by())).rejects.toMatchObject({ name: 'Removed' });
  await expect(write.remove(note, aNote(), by())).rejects.toMatchObject({ name: 'NotFound' });
});

test('a version that is no longer there is refused', async () => {
  await write.update(note, item, first, { text: 'b' }, by());
  await expect(write.remove(note, item, by(), first)).rejects.toMatchObject({ name: 'StaleVersion' });
  await write.remove(note, item, by(), first + 1);
  expect(await lying()).toMatchObject({ version: first + 2, _removed: expect.any(String) });
});

test('without a version it wins over whoever writes at the same time', async () => {
  const writers = Array.from({ length: 30 }, () => write.add(note, item, { count: 1 }, by()));
  const removal = write.remove(note, item, by());
  const settled = await Promise.allSettled(writers);
  await removal;
  const added = settled.filter(({ status }) => status === 'fulfilled').length;
  expect(await lying()).toMatchObject({ version: first + added + 1, _removed: expect.any(String) });
  const refused = settled.flatMap((one) => (one.status === 'rejected' ? one.reason.name : []));
  expect(new Set([...refused, 'Removed'])).toEqual(new Set(['Removed']));
});

test('of ten removals at once one wins', async () => {
  const removals = await Promise.allSettled(Array.from({ length: 10 }, () => write.remove(note, item, by())));
  const refused = removals.flatMap((one) => (one.status === 'rejected' ? one.reason.name : []));
  expect(refused).toEqual(Array(9).fill('Removed'));
  expect(await lying()).toMatchObject({ version: first + 1 });
});

test('an expired item counts as removed, one without a version as not ours', async () => {
  await setPastSluice(store, noteKey(item), '_ttl', time / 1000);
  await expect(write.remove(note, item, by())).rejects.toMatchObject({ name: 'Removed' });
  await putPastSluice(store, { ...noteKey(item), ...item, _type: 'Note' });
  await expect(write.remove(note, item, by())).rejects.toMatchObject({ name: 'Invalid' });
});

test('an item that does not fit its schema can be removed', async () => {
  await setPastSluice(store, noteKey(item), 'count', 'many');
  await write.remove(note, item, by());
  expect(await lying()).toMatchObject({ _removed: expect.any(String) });
});

test('a repeated removal does not remove what was created again', async () => {
  const request = by();
  await write.remove(note, item, request);
  await write.create(note, item, by());
  await write.remove(note, item, request);
  expect(await lying()).toMatchObject({ text: 'hello' });
});

test('a creation repeated after later ones were removed too is told that it was removed', async () => {
  const early = by();
  const other = aNote();
  await write.create(note, other, early);
  await write.remove(note, other, by());
  await write.create(note, other, by());
  await write.remove(note, other, by());
  expect(await write.create(note, other, early)).toEqual({ outcome: 'removed' });
});
