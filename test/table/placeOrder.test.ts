import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  shop as commands,
  type OrderInput,
  type OrderLine,
  orderIdOf,
  type Product,
} from '../../src/shop/commands.ts';
import { product } from '../../src/shop/entities/product.ts';
import { get } from '../../src/table/read.ts';
import type { Store } from '../../src/table/store.ts';
import { by, type LocalShop, localShop } from '../support/shop.ts';
import { type FaultyProxy, startProxy } from './proxy.ts';

let local: LocalShop;
let proxy: FaultyProxy;
let store: Store;
let shop: ReturnType<typeof commands>;

beforeAll(async () => {
  local = await localShop();
  proxy = await startProxy(local);
  store = local.store;
  shop = commands(store);
  await signUp('ada');
});
afterAll(async () => {
  await proxy?.stop();
  await local?.stop();
});

const signUp = (userId: string) =>
  shop.registerCustomer(
    { userId, name: userId, email: `${userId}@example.com`, marketing: false },
    by(userId),
  );

let numbers = 0;

/** A product of its own. */
async function aProduct(changes: Partial<Product> = {}): Promise<string> {
  const productId = `product-${++numbers}`;
  const rest = {
    name: 'Tea',
    description: '',
    category: 'drinks',
    price: 10,
    currency: 'EUR',
    stock: 10,
  } as const;
  await shop.addProduct({ productId, ...rest, ...changes }, by());
  return productId;
}

/** A cart of its own. */
function aCart(...items: OrderLine[]): OrderInput {
  return { userId: 'ada', idempotencyKey: `cart-${++numbers}`, items };
}

const stockOf = async (productId: string) => (await get(store, product, { productId }))?.item.stock;

async function outcomes(orders: Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(orders);
  return settled
    .map((one) => (one.status === 'fulfilled' ? Object(one.value).outcome : one.reason.name))
    .sort();
}

test('fifty orders at once for the last ten pieces sell exactly ten', async () => {
  const productId = await aProduct({ stock: 10 });
  const users = Array.from({ length: 50 }, (_, index) => `buyer-${index}`);
  await Promise.all(users.map(signUp));
  const cart = aCart({ productId, quantity: 1 });
  const orders = users.map((userId) => shop.placeOrder({ ...cart, userId }, by(userId)));
  expect(await outcomes(orders)).toEqual([...Array(40).fill('GuardFailed'), ...Array(10).fill('created')]);
  expect(await stockOf(productId)).toBe(0);
  const { Items = [] } = await store.dynamodb.send(
    new ScanCommand({ TableName: store.tableName, ConsistentRead: true }),
  );
  expect(
    Items.filter((item) => item._type?.S === 'Order' && item.userId?.S?.startsWith('buyer-')),
  ).toHaveLength(10);
});

describe('the same order is one order, and takes its stock once,', () => {
  test('sent five times at once', async () => {
    const productId = await aProduct();
    const cart = aCart({ productId, quantity: 10 });
    const request = by('ada');
    const orders = Array.from({ length: 5 }, () => shop.placeOrder(cart, request));
    expect(await outcomes(orders)).toEqual(['created', ...Array(4).fill('existing')]);
    expect(await stockOf(productId)).toBe(0);
  });

  test('sent again after it was paid, under whatever request', async () => {
    const productId = await aProduct();
    const cart = aCart({ productId, quantity: 1 });
    const placed = await shop.placeOrder(cart, by('ada'));
    if (placed.outcome === 'removed') throw new Error('removed');
    const paid = await shop.setOrderStatus(placed.item, placed.version, 'paid', by('payments'));
    expect(await shop.placeOrder(cart, by('ada'))).toEqual({ outcome: 'existing', ...paid });
    expect(await stockOf(productId)).toBe(9);
  });

  test('sent again after it was removed', async () => {
    const productId = await aProduct();
    const cart = aCart({ productId, quantity: 1 });
    const placed = await shop.placeOrder(cart, by('ada'));
    if (placed.outcome === 'removed') throw new Error('removed');
    await shop.removeOrder(placed.item, by('support'));
    expect(await shop.placeOrder(cart, by('ada'))).toEqual({ outcome: 'removed' });
    expect(await stockOf(productId)).toBe(9);
    expect(await shop.order(placed.item)).toBeUndefined();
  });

  test('sent again when the product is dearer, sold out or gone', async () => {
    const productId = await aProduct({ stock: 1 });
    const cart = aCart({ productId, quantity: 1 });
    const placed = await shop.placeOrder(cart, by('ada'));
    expect(await shop.placeOrder(cart, by('ada'))).toEqual({ ...placed, outcome: 'existing' });
    await shop.removeProduct(productId, by());
    expect(await shop.placeOrder(cart, by('ada'))).toEqual({ ...placed, outcome: 'existing' });
  });

  test('whose reply is lost while another buys', async () => {
    const productId = await aProduct();
    const cart = aCart({ productId, quantity: 4 });
    const meanwhile = () => shop.placeOrder(aCart({ productId, quantity: 4 }), by('ada'));
    proxy.fail('TransactWriteItems', { lost: 'reply', meanwhile });
    expect(await commands(proxy.store).placeOrder(cart, by('ada'))).toMatchObject({ outcome: 'created' });
    expect(proxy.count('TransactWriteItems')).toBe(2);
    expect(await stockOf(productId)).toBe(2);
  });

  test('whose reply is lost though it took the last', async () => {
    const productId = await aProduct();
    proxy.fail('TransactWriteItems', { lost: 'reply' });
    const cart = aCart({ productId, quantity: 10 });
    expect(await commands(proxy.store).placeOrder(cart, by('ada'))).toMatchObject({ outcome: 'created' });
    expect(await stockOf(productId)).toBe(0);
  });
});

test('another order under the same idempotency key is a conflict', async () => {
  const productId = await aProduct();
  const cart = aCart({ productId, quantity: 1 });
  const request = by('ada');
  await shop.placeOrder(cart, request);
  const other = { ...cart, items: [{ productId, quantity: 2 }] };
  await expect(shop.placeOrder(other, request)).rejects.toMatchObject({ name: 'IdempotencyConflict' });
  expect(await stockOf(productId)).toBe(9);
});

test('two customers may use the same idempotency key, and get an order each, with an id of its own', async () => {
  await signUp('bob');
  const cart = aCart({ productId: await aProduct(), quantity: 1 });
  const placed = await Promise.all(
    ['ada', 'bob'].map((userId) => shop.placeOrder({ ...cart, userId }, by(userId))),
  );
  const ids = placed.map((answer) => (answer.outcome === 'created' ? answer.item.orderId : answer.outcome));
  expect(ids).toEqual(['ada', 'bob'].map((userId) => orderIdOf({ ...cart, userId })));
  expect(new Set(ids).size).toBe(2);
});

test('one line that cannot be served stops the whole order', async () => {
  const [enough, few] = [await aProduct(), await aProduct({ stock: 1 })];
  const cart = aCart({ productId: enough, quantity: 1 }, { productId: few, quantity: 2 });
  await expect(shop.placeOrder(cart, by('ada'))).rejects.toMatchObject({ name: 'GuardFailed' });
  expect([await stockOf(enough), await stockOf(few)]).toEqual([10, 1]);
  await shop.restockProduct(few, 1, by());
  expect(await shop.placeOrder(cart, by('ada'))).toMatchObject({ outcome: 'created' });
});

test('an order may have 99 lines', async () => {
  const ids = await Promise.all(Array.from({ length: 99 }, () => aProduct({ stock: 1, price: 0.01 })));
  const cart = aCart(...ids.map((productId) => ({ productId, quantity: 1 })));
  expect(await shop.placeOrder(cart, by('ada'))).toMatchObject({ outcome: 'created', item: { total: 0.99 } });
});

test('a removed customer cannot order, signs up again, and can', async () => {
  await signUp('cleo');
  await shop.removeCustomer('cleo', by('support'));
  const cart = { ...aCart({ productId: await aProduct(), quantity: 1 }), userId: 'cleo' };
  await expect(shop.placeOrder(cart, by('cleo'))).rejects.toThrow('there is no customer cleo');
  expect(await signUp('cleo')).toMatchObject({ outcome: 'created' });
  expect(await shop.placeOrder(cart, by('cleo'))).toMatchObject({ outcome: 'created' });
});
