import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../src/table/store.ts';
import { type Writer, writer } from '../../src/table/write/writer.ts';
import { by, type LocalShop, localShop } from '../support/shop.ts';
import { aNote, letter, letterKey, note, noteKey, putPastSluice, setPastSluice, stored } from './entities.ts';

let shop: LocalShop;
let store: Store;
let write: Writer;
const time = 1_800_000_000_000;

beforeAll(async () => {
  shop = await localShop(() => time);
  store = shop.store;
  write = writer(store);
});
afterAll(() => shop?.stop());

test('a created item has its keys, its index keys, its version and its stamps, and nothing it does not know', async () => {
  const item = { ...aNote({ tag: 'home' }), more: 'unknown' };
  const answer = await write.create(note, item, { ...by('ada', 'r-1'), reason: 'spring' });
  const { more, ...declared } = item;
  expect(answer).toEqual({ outcome: 'created', item: declared, version: time * 1000, expiresAt: undefined });
  expect(await stored(store, noteKey(item))).toEqual({
    ...noteKey(item),
    ...declared,
    gsi1pk: 'TAG#home',
    gsi1sk: item.noteId,
    _type: 'Note',
    version: time * 1000,
    _born: time * 1000,
    _actor: 'ada',
    _reason: 'spring',
    _request: 'r-1',
    _requests: [expect.stringMatching(/^r-1#/)],
    _hash: expect.stringMatching(/^[\w-]{43}$/),
    _creator: 'r-1',
    _created: expect.stringMatching(/^[\w-]{43}$/),
  });
});

test('an item that does not fit its schema is refused, and nothing is written', async () => {
  const item = aNote();
  const misfit = { ...item, state: 'lost' as 'draft' };
  await expect(write.create(note, misfit, by())).rejects.toMatchObject({ name: 'Invalid' });
  await expect(write.create(note, aNote({ noteId: '' }), by())).rejects.toMatchObject({ name: 'Invalid' });
  expect(await stored(store, noteKey(item))).toBeUndefined();
});

describe('with a request key', () => {
  test('the same input again is answered with what it has become', async () => {
    const item = aNote();
    const created = await write.create(letter, item, by());
    expect(await write.create(letter, item, by())).toEqual({ ...created, outcome: 'existing' });
    const updated = await write.update(letter, item, time * 1000, { text: 'changed' }, by());
    expect(await write.create(letter, item, by())).toEqual({ ...updated, outcome: 'existing' });
  });

  test('the same input again after a removal is told so, and nothing is created again', async () => {
    const item = aNote();
    await write.create(letter, item, by());
    await write.remove(letter, item, by());
    const tombstone = await stored(store, letterKey(item));
    expect(await write.create(letter, item, by())).toEqual({ outcome: 'removed' });
    expect(await stored(store, letterKey(item))).toEqual(tombstone);
  });

  test('another input is a conflict: while it is there, after an update, after a removal', async () => {
    const item = aNote();
    const other = { ...item, text: 'other' };
    const request = by();
    const conflict = { name: 'IdempotencyConflict' };
    await write.create(letter, item, request);
    await expect(write.create(letter, other, by())).rejects.toMatchObject(conflict);
    await expect(write.create(letter, other, request)).rejects.toMatchObject(conflict);
    await write.update(letter, item, time * 1000, { text: 'other' }, by());
    await expect(write.create(letter, other, by())).rejects.toMatchObject(conflict);
    await write.remove(letter, item, by());
    const tombstone = await stored(store, letterKey(item));
    await expect(write.create(letter, other, by())).rejects.toMatchObject(conflict);
    expect(await stored(store, letterKey(item))).toEqual(tombstone);
  });

  test('repeats are told by the input that is named, not by the item made of it', async () => {
    const item = aNote();
    await write.create(letter, item, by(), { cart: 1 });
    const later = { ...item, text: 'made at another time' };
    expect(await write.create(letter, later, by(), { cart: 1 })).toMatchObject({ outcome: 'existing', item });
    await expect(write.create(letter, item, by(), { cart: 2 })).rejects.toThrow('another input');
  });

  test('inputs that differ in a set only are not the same', async () => {
    const item = aNote({ marks: new Set(['a', 'b']) });
    await write.create(letter, item, by());
    const reordered = { ...item, marks: new Set(['b', 'a']) };
    expect(await write.create(letter, reordered, by())).toMatchObject({ outcome: 'existing' });
    const other = { ...item, marks: new Set(['c']) };
    await expect(write.create(letter, other, by())).rejects.toMatchObject({ name: 'IdempotencyConflict' });
  });

  test('an expired item answers like a removed one', async () => {
    const item = aNote();
    await write.create(letter, item, by());
    await setPastSluice(store, letterKey(item), '_ttl', time / 1000);
    expect(await write.create(letter, item, by())).toEqual({ outcome: 'removed' });
  });

  test('five equal requests at once create one item, and one of them is told so', async () => {
    const item = aNote();
    const request = by();
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => write.create(letter, item, request)));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['created', ...Array(4).fill('existing')]);
  });
});

describe('with a natural key', () => {
  test('one that is taken is refused, also to an equal input', async () => {
    const item = aNote();
    await write.create(note, item, by());
    await expect(write.create(note, item, by())).rejects.toMatchObject({ name: 'AlreadyExists' });
  });

  test('the retry of the request that created is answered with what it has become', async () => {
    const item = aNote();
    const request = by();
    await write.create(note, item, request);
    await write.add(note, item, { count: 2 }, by());
    const answer = await write.create(note, item, request);
    expect(answer).toMatchObject({ outcome: 'existing', item: { count: 2 }, version: time * 1000 + 1 });
  });

  test('the same request with another input is a conflict', async () => {
    const item = aNote();
    const request = by();
    await write.create(note, item, request);
    const other = { ...item, text: 'other' };
    const conflict = { name: 'IdempotencyConflict' };
    await expect(write.create(note, other, request)).rejects.toMatchObject(conflict);
    await write.remove(note, item, by());
    await expect(write.create(note, other, request)).rejects.toMatchObject(conflict);
  });

  test('a removed one is free for another request, but not for the retry of the one that created it', async () => {
    const item = aNote();
    const [first, second] = [by(), by()];
    await write.create(note, item, first);
    await write.remove(note, item, by());
    expect(await write.create(note, item, first)).toEqual({ outcome: 'removed' });
    expect(await write.create(note, item, second)).toMatchObject({ outcome: 'created' });
    expect(await write.create(note, item, first)).toEqual({ outcome: 'removed' });
    await expect(write.create(note, item, by())).rejects.toMatchObject({ name: 'AlreadyExists' });
    expect(await write.create(note, item, second)).toMatchObject({ outcome: 'existing' });
  });

  test('an expired one is free', async () => {
    const item = aNote();
    await write.create(note, item, by());
    await setPastSluice(store, noteKey(item), '_ttl', time / 1000);
    expect(await write.create(note, item, by())).toMatchObject({
      outcome: 'created',
      version: time * 1000 + 1,
    });
    expect(await stored(store, noteKey(item))).not.toHaveProperty('_ttl');
  });

  test('one that expires in a second is taken', async () => {
    const item = aNote();
    await write.create(note, item, by());
    await setPastSluice(store, noteKey(item), '_ttl', time / 1000 + 1);
    await expect(write.create(note, item, by())).rejects.toMatchObject({ name: 'AlreadyExists' });
  });

  test('one removed by others with a version that cannot grow is refused, not tried for ever', async () => {
    const item = aNote();
    await putPastSluice(store, { ...noteKey(item), _removed: 'yes', version: 'seven' });
    await expect(write.create(note, item, by())).rejects.toMatchObject({ name: 'Invalid' });
  });
});
