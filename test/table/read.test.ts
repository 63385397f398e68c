import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { defineEntity } from '../../src/table/entity.ts';
import { query, queryPage } from '../../src/table/query.ts';
import { get, getImages } from '../../src/table/read.ts';
import type { Store } from '../../src/table/store.ts';
import { type Writer, writer } from '../../src/table/write/writer.ts';
import { by, type LocalShop, localShop } from '../support/shop.ts';
import { aNote, note, noteKey, putPastSluice, setPastSluice } from './entities.ts';
import { type FaultyProxy, startProxy } from './proxy.ts';

const page = defineEntity({
  name: 'Page',
  schema: z.object({ bookId: z.string(), no: z.string(), made: z.string(), body: z.string() }),
  key: { pk: 'BOOK#{bookId}', sk: 'PAGE#{no}', from: 'natural' },
  indexes: { gsi1: { pk: 'BOOK#{bookId}', sk: '{made}' } },
});

const time = 1_800_000_000_000;
let shop: LocalShop;
let proxy: FaultyProxy;
let store: Store;
let write: Writer;

beforeAll(async () => {
  shop = await localShop(() => time);
  proxy = await startProxy(shop);
  store = proxy.store;
  write = writer(shop.store);
});
afterAll(async () => {
  await proxy?.stop();
  await shop?.stop();
});

const keyOf = (bookId: string, no: string) => ({ pk: `BOOK#${bookId}`, sk: `PAGE#${no}` });

/** A book with one page per letter, made in the order of `made`. */
async function aBook(bookId: string, pages: string, body = '', made = pages): Promise<void> {
  for (const no of pages) await write.create(page, { bookId, no, made: `${made.indexOf(no)}`, body }, by());
}

const read = async (...asked: Parameters<typeof query>) =>
  (await query(...asked)).map(({ item }) => item.no).join('');

describe('a query', () => {
  test('shows the items of one partition in order, either way round', async () => {
    await aBook('plain', 'bca');
    expect(await read(store, page, { bookId: 'plain' })).toBe('abc');
    expect(await read(store, page, { bookId: 'plain' }, { newestFirst: true })).toBe('cba');
    expect(await read(store, page, { bookId: 'plain' }, { limit: 2 })).toBe('ab');
    expect(await read(store, page, { bookId: 'none' })).toBe('');
  });

  test('asks consistently and shows what a next write needs', async () => {
    await aBook('single', 'a');
    const [found] = await query(store, page, { bookId: 'single' });
    expect(proxy.asked('Query')).toMatchObject({ ConsistentRead: true });
    expect(found).toEqual({
      item: { bookId: 'single', no: 'a', made: '0', body: '' },
      version: time * 1000,
      expiresAt: undefined,
    });
  });

  test('shows neither removed nor expired items, nor those of other entities', async () => {
    await aBook('sieve', 'abcdefg');
    await write.remove(page, { bookId: 'sieve', no: 'b' }, by());
    await setPastSluice(store, keyOf('sieve', 'c'), '_ttl', time / 1000);
    await setPastSluice(store, keyOf('sieve', 'd'), '_ttl', time / 1000 + 1);
    await setPastSluice(store, keyOf('sieve', 'e'), '_type', 'Leaf');
    await putPastSluice(store, { ...keyOf('sieve', 'x'), sk: 'COVER', _type: 'Page' });
    expect(await read(store, page, { bookId: 'sieve' })).toBe('adfg');
    expect(await read(store, page, { bookId: 'sieve' }, { newestFirst: true, limit: 3 })).toBe('gfd');
  });

  test('reads on over removed and expired items until its limit is met', async () => {
    await aBook('thick', 'abcdefghijklmnop', 'x'.repeat(300_000));
    for (const no of 'bcdefgh') await setPastSluice(store, keyOf('thick', no), '_ttl', 1);
    for (const no of 'jkl') await write.remove(page, { bookId: 'thick', no }, by());
    proxy.fail('Query');
    expect(await read(store, page, { bookId: 'thick' }, { limit: 3 })).toBe('aim');
    expect(proxy.count('Query')).toBeGreaterThan(2);
    expect(await read(store, page, { bookId: 'thick' })).toBe('aimnop');
    proxy.fail('Query');
    expect(await read(store, page, { bookId: 'thick' }, { limit: 1 })).toBe('a');
    expect(proxy.count('Query')).toBe(1);
  });

  test('of an index shows the newest first, and nothing that was removed', async () => {
    await aBook('indexed', 'abcde', '', 'dbeac');
    const fields = { bookId: 'indexed' };
    expect(await read(store, page, fields, { index: 'gsi1', newestFirst: true })).toBe('caebd');
    expect(proxy.asked('Query')).toMatchObject({ IndexName: 'gsi1' });
    expect(proxy.asked('Query')).not.toHaveProperty('ConsistentRead');
    await write.remove(page, { ...fields, no: 'e' }, by());
    await setPastSluice(store, keyOf('indexed', 'a'), '_ttl', time / 1000);
    expect(await read(store, page, fields, { index: 'gsi1', newestFirst: true, limit: 2 })).toBe('cb');
    expect(await read(store, page, fields, { index: 'gsi1' })).toBe('dbc');
  });

  test('of an index that the entity is not in, or without a field of the key, is refused', async () => {
    await expect(query(store, page, { bookId: 'a' }, { index: 'gsi2' })).rejects.toThrow(
      'Page is in no index "gsi2"',
    );
    await expect(query(store, page, {})).rejects.toThrow('the key BOOK#{bookId} needs bookId');
  });
});

describe('a get', () => {
  test('is consistent and shows the declared fields, the version and the expiry', async () => {
    const item = aNote({ marks: new Set(['a']) });
    await write.create(note, item, by());
    await setPastSluice(store, noteKey(item), 'unknown', 1);
    await setPastSluice(store, noteKey(item), '_ttl', time / 1000 + 1);
    const found = await get(store, note, item);
    expect(proxy.asked('GetItem')).toMatchObject({ ConsistentRead: true });
    expect(found).toEqual({ item, version: time * 1000, expiresAt: time / 1000 + 1 });
  });

  test('shows nothing where nothing is, or what is there was removed or has expired', async () => {
    const item = aNote();
    expect(await get(store, note, item)).toBeUndefined();
    await write.create(note, item, by());
    await setPastSluice(store, noteKey(item), '_ttl', time / 1000);
    expect(await get(store, note, item)).toBeUndefined();
    await write.create(note, item, by());
    await write.remove(note, item, by());
    expect(await get(store, note, item)).toBeUndefined();
  });

  test('of an item that does not fit its schema says so', async () => {
    const item = aNote();
    await write.create(note, item, by());
    await setPastSluice(store, noteKey(item), 'count', 'many');
    await expect(get(store, note, item)).rejects.toMatchObject({ name: 'Invalid' });
  });

  test('without a whole key is refused', async () => {
    await expect(get(store, note, {})).rejects.toThrow('Note: the key NOTE#{noteId} needs noteId');
    await expect(get(store, note, { noteId: '' })).rejects.toMatchObject({ name: 'Invalid' });
  });
});

test('the raw images of many keys come consistently, a hundred a call, without the absent ones', async () => {
  const notes = Array.from({ length: 130 }, () => aNote());
  await Promise.all(notes.map((item) => write.create(note, item, by())));
  await write.remove(note, notes[0] ?? {}, by());
  proxy.fail('BatchGetItem');
  const images = await getImages(store, [...notes, aNote()].map(noteKey));
  expect(new Set(images.map(({ pk }) => pk))).toEqual(
    new Set(notes.map((item) => ({ S: noteKey(item).pk }))),
  );
  expect(images).toHaveLength(130);
  expect(proxy.count('BatchGetItem')).toBe(2);
  expect(proxy.asked('BatchGetItem')).toMatchObject({
    RequestItems: { [store.tableName]: { ConsistentRead: true } },
  });
});

test('an item of others that does not fit hides none of its neighbours, and is counted', async () => {
  await aBook('torn', 'abc');
  await setPastSluice(store, keyOf('torn', 'b'), 'body', 7);
  expect(await read(store, page, { bookId: 'torn' })).toBe('ac');
  const first = await queryPage(store, page, { bookId: 'torn' }, { limit: 2 });
  expect(first).toMatchObject({ misfits: 1, found: [{ item: { no: 'a' } }], next: expect.any(String) });
  const rest = await queryPage(store, page, { bookId: 'torn' }, { limit: 2, cursor: `${first.next}` });
  expect(rest).toEqual({
    misfits: 0,
    found: [expect.objectContaining({ item: expect.objectContaining({ no: 'c' }) })],
  });
});
