/** What the shop does. Every command carries who asks and the request's id, and may be sent again at will. */
import { hash } from '../table/canonical.ts';
import { WriteError } from '../table/errors.ts';
import { get } from '../table/read.ts';
import type { By, Store } from '../table/store.ts';
import type { Found } from '../table/stored.ts';
import type { Created } from '../table/write/create.ts';
import type { Changes } from '../table/write/update.ts';
import { writer } from '../table/write/writer.ts';
import { customer } from './entities/customer.ts';
import { order } from './entities/order.ts';
import { product } from './entities/product.ts';
import { type Currency, fromMinorUnits, toMinorUnits } from './money.ts';

type Item<Entity> = Entity extends { parse(fields: never): { item: infer Fields } | { misfit: string } }
  ? Fields
  : never;

export type Customer = Item<typeof customer>;
export type Product = Item<typeof product>;
export type Order = Item<typeof order>;
export type OrderKey = Pick<Order, 'userId' | 'orderId'>;

export type OrderLine = { productId: string; quantity: number };
export type OrderInput = {
  userId: string;
  /** Chosen by the caller, once per order: the order's id derives from it and the customer. */
  idempotencyKey: string;
  items: readonly OrderLine[];
};

/** A transaction takes 100 writes (API_TransactWriteItems): the order and its products. */
const mostLines = 99;

export function shop(store: Store) {
  const write = writer(store);
  const today = () => new Date(store.now()).toISOString();
  return {
    registerCustomer(
      input: Pick<Customer, 'userId' | 'name' | 'email' | 'marketing'>,
      by: By,
    ): Promise<Created<Customer>> {
      return write.create(customer, { ...input, createdAt: today(), updatedAt: today() }, by, input);
    },

    updateCustomer(
      userId: string,
      version: number,
      changes: Changes<Pick<Customer, 'name' | 'email' | 'marketing'>>,
      by: By,
    ) {
      return write.update(customer, { userId }, version, { ...changes, updatedAt: today() }, by);
    },

    removeCustomer: (userId: string, by: By) => write.remove(customer, { userId }, by),

    addProduct: (input: Product, by: By): Promise<Created<Product>> => write.create(product, input, by),

    updateProduct(
      productId: string,
      version: number,
      changes: Changes<Product>,
      by: By,
    ): Promise<Found<Product>> {
      return write.update(product, { productId }, version, changes, by);
    },

    restockProduct: async (productId: string, quantity: number, by: By) =>
      write.add(product, { productId }, { stock: positive(quantity) }, by),

    removeProduct: (productId: string, by: By) => write.remove(product, { productId }, by),

    placeOrder: (input: OrderInput, by: By) => placeOrder(store, input, by),

    order: (key: OrderKey): Promise<Found<Order> | undefined> => get(store, order, key),

    /** Takes an order a step on; which steps there are stands in its declaration. */
    setOrderStatus(key: OrderKey, version: number, status: Order['status'], by: By): Promise<Found<Order>> {
      return write.update(order, key, version, { status }, by);
    },

    removeOrder: (key: OrderKey, by: By) => write.remove(order, key, by),
  };
}

/** Derived from the input alone, so that the same request always means the same order. */
export function orderIdOf({ userId, idempotencyKey }: Pick<OrderInput, 'userId' | 'idempotencyKey'>): string {
  return hash(JSON.stringify([userId, idempotencyKey])).slice(0, 22);
}

/** The order and the stock of each product, all or nothing. An equal request is answered from the first one's order. */
async function placeOrder(store: Store, input: OrderInput, by: By): Promise<Created<Order>> {
  checkLines(input);
  const write = writer(store);
  const orderId = orderIdOf(input);
  // The order's key decides first: a repeat is answered also where its customer or a product is gone by now.
  const answer = await write.answer(order, { userId: input.userId, orderId }, by, input);
  if (answer !== undefined) return answer;
  const buyer = await get(store, customer, { userId: input.userId });
  if (buyer === undefined) throw invalid(`there is no customer ${input.userId}`);
  const lines = await Promise.all(input.items.map((line) => orderLine(store, line)));
  const item = orderOf(orderId, buyer.item, lines, new Date(store.now()).toISOString());
  const additions = input.items.map(({ productId, quantity }) => ({
    entity: product,
    key: { productId },
    amounts: { stock: -quantity },
  }));
  return write.createWith(order, item, additions, by, input);
}

function checkLines({ items, idempotencyKey }: OrderInput): void {
  if (idempotencyKey === '') throw invalid('it needs an idempotency key');
  if (items.length === 0) throw invalid('it has no lines');
  if (items.length > mostLines) throw invalid(`it has ${items.length} lines; an order takes ${mostLines}`);
  const seen = new Set<string>();
  for (const { productId, quantity } of items) {
    if (seen.has(productId))
      throw invalid(`product ${productId} is named twice; give one line with the whole quantity`);
    seen.add(productId);
    if (!Number.isSafeInteger(quantity) || quantity < 1)
      throw invalid(`the quantity of ${productId} must be a whole number from 1`);
  }
}

type Line = Order['items'][number] & { currency: Currency };

async function orderLine(store: Store, { productId, quantity }: OrderLine): Promise<Line> {
  const found = await get(store, product, { productId });
  if (found === undefined) throw invalid(`there is no product ${productId}`);
  const { name, price, currency } = found.item;
  return { productId, name, quantity, price, currency };
}

function orderOf(orderId: string, buyer: Customer, lines: readonly Line[], createdAt: string): Order {
  const currency = lines[0]?.currency ?? 'EUR';
  if (lines.some((line) => line.currency !== currency))
    throw invalid('its products have different currencies');
  const total = lines.reduce((sum, { quantity, price }) => sum + quantity * toMinorUnits(price, currency), 0);
  return {
    orderId,
    userId: buyer.userId,
    email: buyer.email,
    status: 'pending',
    items: lines.map(({ productId, name, quantity, price }) => ({ productId, name, quantity, price })),
    total: fromMinorUnits(total, currency),
    currency,
    createdAt,
  };
}

function positive(quantity: number): number {
  if (!Number.isSafeInteger(quantity) || quantity < 1)
    throw new WriteError('Invalid', 'A restock needs a whole quantity from 1.');
  return quantity;
}

function invalid(what: string): WriteError {
  return new WriteError('Invalid', `The order cannot be placed: ${what}.`);
}
