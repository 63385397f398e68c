/** What is written through the front door, seen through the table's own stream. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { app } from '../../src/app.ts';
import { shop as commands } from '../../src/shop/commands.ts';
import { order } from '../../src/shop/entities/order.ts';
import { adopt, adoptionOf, isAdoptable } from '../../src/table/adopt.ts';
import { encodeItem } from '../../src/table/attributes.ts';
import type { Change } from '../../src/table/change.ts';
import { by, type LocalShop, localShop } from '../support/shop.ts';
import { putPastSluice, setPastSluice, stored } from './entities.ts';
import { recordsOf } from './stream.ts';

let shop: LocalShop;
let back = 0;

beforeAll(async () => {
  shop = await localShop(() => Date.now() - back);
});
afterAll(() => shop?.stop());

const ada = { userId: 'ada', name: 'Ada', email: 'ada@example.com', marketing: false };
const tea = {
  productId: 'tea',
  name: 'Green tea',
  description: '',
  category: 'drinks',
  price: 12.5,
  currency: 'EUR' as const,
  stock: 40,
};
const key = { pk: 'PRODUCT#tea', sk: 'PRODUCT#tea' };

async function changesOf(item: string): Promise<Change[]> {
  const decoded = (await recordsOf(shop)).map((record) => app.decode(record));
  return decoded.flatMap((one) => {
    if (one.verdict !== 'change') throw new Error(`${one.verdict}: ${one.reason}`);
    return one.change.item === item ? [one.change] : [];
  });
}

test('a customer who comes, changes, goes and comes back is four exact changes, whatever the clock says', async () => {
  const { registerCustomer, updateCustomer, removeCustomer } = commands(shop.store);
  const created = await registerCustomer(ada, by('ada'));
  const version = created.outcome === 'removed' ? 0 : created.version;
  await updateCustomer('ada', version, { name: 'Ada A.' }, by('ada'));
  await removeCustomer('ada', { ...by('support'), reason: 'asked to be forgotten' });
  back = 2 * 3_600_000;
  await registerCustomer(ada, by('ada', 'sign-up-again'));
  back = 0;
  const changes = await changesOf('Customer/USER#ada/PROFILE');
  expect(changes).toMatchObject([
    { kind: 'insert', born: true, actor: 'ada', version },
    { kind: 'modify', born: false, before: { name: 'Ada' }, after: { name: 'Ada A.' }, version: version + 1 },
    { kind: 'remove', actor: 'support', reason: 'asked to be forgotten', version: version + 2 },
    { kind: 'insert', born: true, request: 'sign-up-again', reason: undefined, version: version + 3 },
  ]);
  for (const change of changes) expect(change).not.toHaveProperty('inexact');
  expect(new Set(changes.map(({ id }) => id)).size).toBe(4);
});

test('an order and the stock it takes are two exact changes under one request', async () => {
  await commands(shop.store).addProduct(tea, by());
  const input = { userId: 'ada', idempotencyKey: 'cart-1', items: [{ productId: 'tea', quantity: 2 }] };
  const placed = await commands(shop.store).placeOrder(input, by('ada', 'order-1'));
  if (placed.outcome !== 'created') throw new Error(placed.outcome);
  const [stock] = (await changesOf('Product/PRODUCT#tea/PRODUCT#tea')).slice(-1);
  expect(stock).toMatchObject({
    kind: 'modify',
    before: { stock: 40 },
    after: { stock: 38 },
    request: 'order-1',
  });
  expect(stock).not.toHaveProperty('inexact');
  const sk = order.key.sk.render(placed.item);
  const [change] = await changesOf(`Order/USER#ada/${sk}`);
  expect(change).toMatchObject({
    born: true,
    after: placed.item,
    version: placed.version,
    request: 'order-1',
  });
});

async function lastChange(): Promise<Change> {
  const change = (await changesOf('Product/PRODUCT#tea/PRODUCT#tea')).at(-1);
  if (change === undefined) throw new Error('no change');
  return change;
}

test('what others changed is given a version again, once, and that is an exact change', async () => {
  await setPastSluice(shop.store, key, 'price', 13);
  const foreign = await lastChange();
  expect(foreign).toMatchObject({ inexact: expect.any(String), actor: undefined });
  expect(isAdoptable(foreign)).toBe(true);
  const now = Date.now();
  await adopt(shop.store, adoptionOf(foreign, shop.store));
  const adopted = await lastChange();
  expect(adopted).toMatchObject({
    kind: 'modify',
    born: false,
    after: { price: 13 },
    actor: 'sluice',
    reason: `adopted: ${foreign.inexact}`,
    request: foreign.id,
  });
  expect(adopted).not.toHaveProperty('inexact');
  expect(adopted.version).toBeGreaterThanOrEqual(now * 1000);
  expect(isAdoptable(adopted)).toBe(false);
  await adopt(shop.store, adoptionOf(foreign, shop.store));
  expect(await lastChange()).toEqual(adopted);
});

test.each([
  ['turned back', { version: 5 }],
  ['overwrote with a text', { version: 'none' }],
  ['dropped', { version: undefined }],
])(
  'a version that others %s is followed by a higher one, also by a clock that is behind',
  async (_, bent) => {
    const { version } = await lastChange();
    await putPastSluice(shop.store, { ...(await stored(shop.store, key)), ...bent });
    back = 3_600_000;
    await adopt(shop.store, adoptionOf(await lastChange(), shop.store));
    back = 0;
    expect(await stored(shop.store, key)).toMatchObject({ version: version + 1, _actor: 'sluice' });
  },
);

test('what has moved on, was removed or never was ours is not adopted', async () => {
  await setPastSluice(shop.store, key, 'price', 14);
  const foreign = await lastChange();
  await commands(shop.store).restockProduct('tea', 1, by());
  const moved = await stored(shop.store, key);
  await adopt(shop.store, adoptionOf(foreign, shop.store));
  expect(await stored(shop.store, key)).toEqual(moved);
  await commands(shop.store).removeProduct('tea', by());
  const tombstone = await stored(shop.store, key);
  await adopt(
    shop.store,
    adoptionOf({ ...foreign, images: { before: undefined, after: encodeItem(tombstone ?? {}) } }, shop.store),
  );
  expect(await stored(shop.store, key)).toEqual(tombstone);
  expect(isAdoptable({ ...foreign, carried: undefined, versionBefore: undefined })).toBe(false);
  expect(isAdoptable({ ...foreign, after: undefined })).toBe(false);
});
