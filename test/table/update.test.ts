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
  item = aNote({ tag: 'home' });
  await write.create(note, item, { actor: 'ada', request: 'creation', reason: 'spring' });
});

const lying = () => stored(store, noteKey(item));

test('an update changes the fields it names, and the version by one', async () => {
  const before = await lying();
  const answer = await write.update(note, item, first, { text: 'changed' }, { actor: 'bob', request: 'r-2' });
  expect(answer).toEqual({ item: { ...item, text: 'changed' }, version: first + 1, expiresAt: undefined });
  const { _reason, ...kept } = before ?? {};
  expect(await lying()).toEqual({
    ...kept,
    text: 'changed',
    version: first + 1,
    _actor: 'bob',
    _request: 'r-2',
    _requests: [expect.stringMatching(/^r-2#/), expect.stringMatching(/^creation#/)],
    _hash: expect.not.stringMatching(`^${before?._hash}$`),
  });
});

test('the reason of a write is its own: the next one without a reason has none', async () => {
  await write.update(note, item, first, { text: 'b' }, { ...by(), reason: 'asked for' });
  expect(await lying()).toMatchObject({ _reason: 'asked for' });
  await write.update(note, item, first + 1, { text: 'c' }, by());
  expect(await lying()).not.toHaveProperty('_reason');
});

test('a version that is no longer there is refused, and the error names both', async () => {
  await write.update(note, item, first, { text: 'b' }, by());
  const late = write.update(note, item, first, { text: 'c' }, by());
  await expect(late).rejects.toMatchObject({
    name: 'StaleVersion',
    message: expect.stringMatching(`${first}\\D.*${first + 1}\\D`),
  });
  expect(await lying()).toMatchObject({ text: 'b', version: first + 1 });
});

test('of ten updates of one version at once one wins, and nine are stale', async () => {
  const updates = Array.from({ length: 10 }, (_, count) => write.update(note, item, first, { count }, by()));
  const settled = await Promise.allSettled(updates);
  const refused = settled.flatMap((one) => (one.status === 'rejected' ? one.reason.name : []));
  expect(refused).toEqual(Array(9).fill('StaleVersion'));
  expect(await lying()).toMatchObject({ version: first + 1 });
});

describe('the same request again', () => {
  test.each([0, 1, 7])('is answered from the item, after %i others', async (others) => {
    const request = by();
    await write.update(note, item, first, { text: 'mine' }, request);
    for (let count = 1; count <= others; count++)
      await write.update(note, item, first + count, { count }, by());
    const answer = await write.update(note, item, first, { text: 'mine' }, request);
    expect(answer).toMatchObject({ version: first + 1 + others, item: { text: 'mine', count: others } });
    expect(await lying()).toMatchObject({ version: first + 1 + others });
  });

  test('is not found any more after eight others', async () => {
    const request = by();
    await write.update(note, item, first, { text: 'mine' }, request);
    for (let count = 1; count <= 8; count++) await write.update(note, item, first + count, { count }, by());
    expect((await lying())?._requests).toHaveLength(8);
    const again = write.update(note, item, first, { text: 'mine' }, request);
    await expect(again).rejects.toMatchObject({ name: 'StaleVersion' });
  });

  test('is found by as many more as were atomic: those keep no request ids', async () => {
    const request = by();
    await write.update(note, item, first, { text: 'mine' }, request);
    for (let count = 1; count <= 9; count++) await write.add(note, item, { count: 1 }, by());
    const answer = await write.update(note, item, first, { text: 'mine' }, request);
    expect(answer).toMatchObject({ version: first + 10, item: { text: 'mine', count: 9 } });
  });
});

describe('is refused, and nothing is written,', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['a step that the declaration lacks', { state: 'filed' }, 'IllegalStep'],
    ['a field of the key', { noteId: 'another' }, 'Invalid'],
    ['a field the entity does not have', { colour: 'red' }, 'Invalid'],
    ['to take away such a field', { colour: undefined }, 'Invalid'],
    ['to take away a stamp', { _creator: undefined }, 'Invalid'],
    ['to set the version', { version: 7 }, 'Invalid'],
    ['a field named like a member of Object', { constructor: 'x' }, 'Invalid'],
    ['to take away a field that must be there', { text: undefined }, 'Invalid'],
    ['a value that does not fit', { count: 'many' }, 'Invalid'],
    ['an empty field in an index key', { tag: '' }, 'Invalid'],
  ])('%s', async (_, changes, name) => {
    const before = await lying();
    await expect(write.update(note, item, first, changes, by())).rejects.toMatchObject({ name });
    expect(await lying()).toEqual(before);
  });

  test('an item that is not there, was removed, has expired or has no version', async () => {
    const update = () => write.update(note, item, first, { text: 'b' }, by());
    await setPastSluice(store, noteKey(item), '_ttl', time / 1000);
    await expect(update()).rejects.toMatchObject({ name: 'Removed' });
    await write.create(note, item, by());
    await write.remove(note, item, by());
    await expect(update()).rejects.toMatchObject({ name: 'Removed' });
    await putPastSluice(store, { ...noteKey(item), ...item, _type: 'Note' });
    await expect(update()).rejects.toMatchObject({ name: 'Invalid' });
    item = aNote();
    await expect(update()).rejects.toMatchObject({ name: 'NotFound' });
  });
});

test('a declared step is taken, and staying where one is needs none', async () => {
  await write.update(note, item, first, { state: 'draft' }, by());
  await write.update(note, item, first + 1, { state: 'sent' }, by());
  await write.update(note, item, first + 2, { state: 'filed' }, by());
  const back = write.update(note, item, first + 3, { state: 'draft' }, by());
  await expect(back).rejects.toThrow('state cannot go from filed to draft; from filed it goes to nothing');
});

test('a time to live that is no number removes nothing, and stands in no write’s way', async () => {
  await setPastSluice(store, noteKey(item), '_ttl', 'tomorrow');
  await write.update(note, item, first, { text: 'b' }, by());
  await write.add(note, item, { count: 1 }, by());
  await write.remove(note, item, by());
  expect(await lying()).toMatchObject({ version: first + 3, _removed: expect.any(String) });
});

test('an item that expires later can be written, and still expires', async () => {
  await setPastSluice(store, noteKey(item), '_ttl', time / 1000 + 1);
  const answer = await write.update(note, item, first, { text: 'b' }, by());
  expect(answer).toMatchObject({ expiresAt: time / 1000 + 1 });
  expect(await lying()).toMatchObject({ _ttl: time / 1000 + 1 });
});

test('what the schema does not know stays, through updates and additions', async () => {
  const unknown = { deep: [new Set(['a'])] };
  await setPastSluice(store, noteKey(item), 'unknown', unknown);
  await write.update(note, item, first, { text: 'b', tag: undefined }, by());
  await write.add(note, item, { count: 1 }, by());
  expect(await lying()).toMatchObject({ unknown, text: 'b', count: 1 });
});

test('index keys follow the fields: they change, go when a field goes, and come back', async () => {
  await write.update(note, item, first, { tag: 'work' }, by());
  expect(await lying()).toMatchObject({ gsi1pk: 'TAG#work', gsi1sk: item.noteId });
  await write.update(note, item, first + 1, { tag: undefined }, by());
  const sparse = await lying();
  for (const name of ['tag', 'gsi1pk', 'gsi1sk']) expect(sparse).not.toHaveProperty(name);
  await write.update(note, item, first + 2, { tag: 'home' }, by());
  expect(await lying()).toMatchObject({ tag: 'home', gsi1pk: 'TAG#home', gsi1sk: item.noteId });
});

test('index keys that others have bent are right again after the next update', async () => {
  await setPastSluice(store, noteKey(item), 'gsi1pk', 'TAG#bent');
  await write.update(note, item, first, { text: 'b' }, by());
  expect(await lying()).toMatchObject({ gsi1pk: 'TAG#home' });
});

test('a request that asks another thing of the same item is a conflict, never silently dropped', async () => {
  const request = by();
  const { version } = await write.update(note, item, first, { text: 'one' }, request);
  await expect(write.update(note, item, version, { text: 'two' }, request)).rejects.toMatchObject({
    name: 'IdempotencyConflict',
  });
  expect(await lying()).toMatchObject({ text: 'one' });
});
