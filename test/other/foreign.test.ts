/** What others write without versions, where adoption was not switched on: handled, and said to be inexact. */
import { afterAll, expect, test } from 'vitest';
import { readThrough } from '../../src/sinks/cache/read.ts';
import type { Fields } from '../../src/table/entity.ts';
import { writer } from '../../src/table/write/writer.ts';
import { by } from '../support/shop.ts';
import { itemOf } from './item.ts';
import { openOther } from './kit.ts';
import { libraryWith } from './library/app.ts';
import { book } from './library/book.ts';
import { copy } from './library/copy.ts';
import { desk, dune, shelved } from './library/desk.ts';
import { hours } from './library/hours.ts';
import { readsOf } from './library/reads.ts';

const world = await openOther(libraryWith('ours'));
afterAll(() => world.stop());

const { store, settle } = world;
const { version, pk, sk, type } = store.table;
const put = desk(store).put;

test('an item that never had a version is shown as it is, and never written to', async () => {
  const item = itemOf(world, book, dune());
  await put(book, dune());
  await settle();
  await put(book, dune({ year: 1966 }), { note: 'from the desk' });
  await settle();
  expect((await item.document())?.source).toEqual(dune({ year: 1966 }));
  expect(Object.keys(await item.held()).sort()).toEqual(
    [pk, sk, type, 'note', ...Object.keys(dune())].sort(),
  );
  expect(item.writes()).toBe(2);
});

test('audit trail and bus have each of its changes once, and say that they are inexact', async () => {
  const item = itemOf(world, copy, shelved(1));
  await put(copy, shelved(1));
  await put(copy, shelved(1, { lent: 1 }));
  await desk(store).delete(copy, shelved(1));
  await settle();
  await world.replay();
  const rows = await item.history();
  expect(rows.map(({ kind, exact }) => `${kind} ${exact}`).sort()).toEqual([
    'insert false',
    'modify false',
    'remove false',
  ]);
  expect(item.events()).toEqual([
    { name: 'CopyAdded', exact: false },
    { name: 'CopyLent', exact: false },
    { name: 'CopyWithdrawn', exact: false },
  ]);
});

test('a cached read shows what others wrote last', async () => {
  const monday: Fields = { branch: 'south', day: 'mon', opens: 9, closes: 18 };
  const port = world.home.connections.cache;
  const read = () => Promise.all(readsOf(store, hours, monday).map((one) => readThrough({ port, ...one })));
  await put(hours, monday);
  await settle();
  expect(await read()).toMatchObject([[{ item: { closes: 18 } }]]);
  await put(hours, { ...monday, closes: 20 });
  await settle();
  expect(await read()).toMatchObject([[{ item: { closes: 20 } }]]);
});

test('what others delete is found no more, also when all of it comes again', async () => {
  const gone = dune({ isbn: '978-2' });
  await put(book, gone);
  await settle();
  await desk(store).delete(book, gone);
  await settle();
  await world.replay();
  const document = await itemOf(world, book, gone).document();
  expect(document?.source).toEqual({ sluiceRemovedAt: expect.any(String) });
});

test('the write side does not touch an item without a version, and says why', async () => {
  const item = itemOf(world, copy, shelved(2));
  await put(copy, shelved(2), { [version]: 7 });
  const before = await item.held();
  const write = writer(store);
  const refused = { name: 'Invalid', message: expect.stringContaining('has no version') };
  await expect(write.update(copy, shelved(2), 7, { shelf: 'C1' }, by())).rejects.toMatchObject(refused);
  await expect(write.add(copy, shelved(2), { lent: 1 }, by())).rejects.toMatchObject(refused);
  await expect(write.remove(copy, shelved(2), by())).rejects.toMatchObject(refused);
  await expect(write.create(copy, shelved(2), by())).rejects.toMatchObject({ name: 'AlreadyExists' });
  expect(await item.held()).toEqual(before);
});

test('an item of ours that others overwrite is given a version again, though it is not searched', async () => {
  const item = itemOf(world, copy, shelved(3));
  await writer(store).create(copy, shelved(3), by());
  await settle();
  const [first] = await item.history();
  await put(copy, shelved(3, { shelf: 'D4' }));
  await settle();
  const held = await item.held();
  expect(held).toMatchObject({ shelf: 'D4', [store.table.actor]: 'sluice' });
  expect(held[version]).toBeGreaterThan(Number(first?.version));
  expect(item.writes()).toBe(3);
});
