import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Store } from '../../src/table/store.ts';
import { type Writer, writer } from '../../src/table/write/writer.ts';
import { by, type LocalShop, localShop } from '../support/shop.ts';
import { aNote, note, noteKey, stored } from './entities.ts';

let shop: LocalShop;
let store: Store;
let write: Writer;
let time = 1_800_000_000_000;
const hour = 3_600_000;

beforeAll(async () => {
  shop = await localShop(() => time);
  store = shop.store;
  write = writer(store);
});
afterAll(() => shop?.stop());

test('versions grow over removal and re-creation, also when the clock goes back by hours', async () => {
  const item = aNote();
  const versions: unknown[] = [];
  for (let round = 0; round < 4; round++) {
    await write.create(note, item, by());
    versions.push((await stored(store, noteKey(item)))?.version);
    await write.add(note, item, { count: 1 }, by());
    versions.push((await stored(store, noteKey(item)))?.version);
    await write.remove(note, item, by());
    versions.push((await stored(store, noteKey(item)))?.version);
    time -= 3 * hour;
  }
  time += 12 * hour;
  const first = time * 1000;
  expect(versions).toEqual(Array.from({ length: 12 }, (_, index) => first + index));
});

test('a clock that goes on starts the next incarnation at its own time, with a new birth', async () => {
  const item = aNote();
  await write.create(note, item, by());
  await write.remove(note, item, by());
  time += hour;
  await write.create(note, item, by());
  expect(await stored(store, noteKey(item))).toMatchObject({ version: time * 1000, _born: time * 1000 });
});

test('the creation of one item with others also meets a removed one that is newer than the clock', async () => {
  const [item, other] = [aNote(), aNote()];
  await write.create(note, other, by());
  await write.create(note, item, by());
  await write.remove(note, item, by());
  time -= hour;
  const additions = [{ entity: note, key: other, amounts: { left: -1 } }];
  const answer = await write.createWith(note, item, additions, by());
  time += hour;
  expect(answer).toMatchObject({ outcome: 'created', version: time * 1000 + 2 });
  expect(await stored(store, noteKey(other))).toMatchObject({ left: 9 });
});
