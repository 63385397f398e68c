import { ScanCommand } from '@aws-sdk/client-dynamodb';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shop as commands, type OrderLine, type Product } from '../../src/shop/commands.ts';
import { fromMinorUnits, toMinorUnits } from '../../src/shop/money.ts';
import { by, type LocalShop, localShop } from '../support/shop.ts';

let local: LocalShop;
let shop: ReturnType<typeof commands>;

const stock: Record<string, Partial<Product>> = {
  tea: { price: 12.5 },
  dime: { price: 0.1 },
  nickel: { price: 0.2 },
  yen: { price: 100, currency: 'JPY' },
  halfYen: { price: 0.5, currency: 'JPY' },
  mill: { price: 1.005 },
  dust: { price: 1e-7 },
  dear: { price: 1e9 },
  gone: {},
};

beforeAll(async () => {
  local = await localShop();
  shop = commands(local.store);
  await shop.registerCustomer(
    { userId: 'ada', name: 'Ada', email: 'ada@example.com', marketing: false },
    by(),
  );
  for (const [productId, changes] of Object.entries(stock)) {
    const common = {
      name: productId,
      description: '',
      category: 'x',
      price: 1,
      currency: 'EUR',
      stock: 1000,
    } as const;
    await shop.addProduct({ productId, ...common, ...changes }, by());
  }
  await shop.removeProduct('gone', by());
});
afterAll(() => local?.stop());

const line = (productId: string, quantity = 1): OrderLine => ({ productId, quantity });

let carts = 0;
const order = (items: OrderLine[], changes: { userId?: string; idempotencyKey?: string } = {}) =>
  shop.placeOrder({ userId: 'ada', idempotencyKey: `cart-${++carts}`, items, ...changes }, by('ada'));

async function everything(): Promise<unknown> {
  const { tableName, dynamodb } = local.store;
  return (await dynamodb.send(new ScanCommand({ TableName: tableName, ConsistentRead: true }))).Items;
}

describe('an order is refused, with a clear error and nothing written,', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => line(`product-${index}`));
  test.each<[string, OrderLine[], string]>([
    ['with no lines', [], 'it has no lines'],
    ['with 100 lines', hundred, 'it has 100 lines; an order takes 99'],
    ['with a product named twice', [line('tea'), line('dime'), line('tea')], 'product tea is named twice'],
    ['with quantity 0', [line('dime'), line('tea', 0)], 'the quantity of tea must be a whole number from 1'],
    ['with quantity -1', [line('tea', -1)], 'the quantity of tea must be a whole number from 1'],
    ['with quantity 1.5', [line('tea', 1.5)], 'the quantity of tea must be a whole number from 1'],
    ['with quantity NaN', [line('tea', Number.NaN)], 'the quantity of tea must be a whole number from 1'],
    ['for a product that is not there', [line('tea'), line('pot')], 'there is no product pot'],
    ['for a product that was removed', [line('gone')], 'there is no product gone'],
    ['in two currencies', [line('tea'), line('yen')], 'its products have different currencies'],
    ['with a price finer than its currency', [line('mill')], '1.005 is no amount in EUR'],
    ['with a price in half yen', [line('halfYen')], '0.5 is no amount in JPY'],
    ['with a price next to nothing', [line('dust')], '1e-7 is no amount in EUR'],
    ['that is dearer than any order', [line('dear', 2)], 'Create Order: total'],
  ])('%s', async (_, items, message) => {
    const before = await everything();
    await expect(order(items)).rejects.toMatchObject({
      name: 'Invalid',
      message: expect.stringContaining(message),
    });
    expect(await everything()).toEqual(before);
  });

  test('of a customer who is not there, or without a name for the order', async () => {
    const before = await everything();
    await expect(order([line('tea')], { userId: 'bob' })).rejects.toThrow('there is no customer bob');
    await expect(order([line('tea')], { userId: '' })).rejects.toMatchObject({ name: 'Invalid' });
    await expect(order([line('tea')], { idempotencyKey: '' })).rejects.toThrow('it needs an idempotency key');
    expect(await everything()).toEqual(before);
  });
});

test.each([0, -1, 1.5])('a restock of %d is refused', async (quantity) => {
  await expect(shop.restockProduct('tea', quantity, by())).rejects.toMatchObject({ name: 'Invalid' });
});

test.each<[OrderLine[], number, string]>([
  [[line('dime'), line('nickel')], 0.3, 'EUR'],
  [[line('dime', 3), line('tea', 3)], 37.8, 'EUR'],
  [[line('yen', 3)], 300, 'JPY'],
])('the total of %j is %d %s', async (items, total, currency) => {
  expect(await order(items)).toMatchObject({
    outcome: 'created',
    item: { total, currency, status: 'pending' },
  });
});

test('the lines of an order hold what was bought, and for how much then', async () => {
  expect(await order([line('tea', 2)])).toMatchObject({
    item: {
      email: 'ada@example.com',
      items: [{ productId: 'tea', name: 'tea', quantity: 2, price: 12.5 }],
    },
  });
});

test('every amount goes to minor units and comes back', () => {
  const currencies = fc.constantFrom('EUR', 'USD', 'GBP', 'CHF', 'JPY');
  fc.assert(
    fc.property(fc.nat(), currencies, (minor, code) => {
      expect(toMinorUnits(fromMinorUnits(minor, code), code)).toBe(minor);
      expect(fromMinorUnits(minor, code)).toBeCloseTo(code === 'JPY' ? minor : minor / 100, 5);
    }),
  );
});
