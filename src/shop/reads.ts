/** How the shop reads: through the cache, from the table consistently, or from an index for a few seconds. */
import type { Entity, Fields } from '../table/entity.ts';
import { query } from '../table/query.ts';
import { get } from '../table/read.ts';
import type { Store } from '../table/store.ts';
import type { Found } from '../table/stored.ts';
import { customer } from './entities/customer.ts';
import { order } from './entities/order.ts';
import { product } from './entities/product.ts';

/** What is read from an index may lag behind it: it is cached for seconds only. */
const indexMilliseconds = 5_000;

type Read = { key: string; read(): Promise<unknown> };

/** One cached read: its key, how to read it afresh, and how long it may be held. */
export function cachedReads(store: Store) {
  const one = <Value>(key: string, read: () => Promise<Found<Value> | undefined>) => ({
    key,
    read,
    expiresAt: (found: Found<Value>) => endOf([found]),
  });
  const list = <Value>(key: string, read: () => Promise<Found<Value>[]>) => ({
    key,
    read,
    milliseconds: indexMilliseconds,
    expiresAt: (found: Found<Value>[]) => endOf(found),
  });
  return {
    customer: (userId: string) => one(`user:${userId}`, () => get(store, customer, { userId })),
    order: (userId: string, orderId: string) =>
      one(`order:${orderId}`, () => get(store, order, { userId, orderId })),
    product: (productId: string) => one(`product:${productId}`, () => get(store, product, { productId })),
    ordersOf: (userId: string) =>
      list(`orders-of:${userId}`, () =>
        query(store, order, { userId }, { index: 'gsi3', newestFirst: true }),
      ),
    productsIn: (category: string) =>
      list(`category:${category}`, () => query(store, product, { category }, { index: 'gsi1' })),
  };
}

/** When the first of them expires, epoch milliseconds. */
function endOf(found: readonly Found<unknown>[]): number | undefined {
  const ends = found.flatMap(({ expiresAt }) => (expiresAt === undefined ? [] : [expiresAt * 1000]));
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/**
 * Every cached read that an item can be seen through: what a comparison of cache and table goes by. It says nothing of
 * which keys the entities clear, so that a forgotten one shows.
 */
export function readsOf(store: Store, entity: Entity, item: Fields): Read[] {
  const reads = cachedReads(store);
  const field = (name: string) => String(item[name]);
  const ofEntity: Record<string, Read[]> = {
    [customer.name]: [reads.customer(field('userId'))],
    [product.name]: [reads.product(field('productId')), reads.productsIn(field('category'))],
    [order.name]: [reads.order(field('userId'), field('orderId')), reads.ordersOf(field('userId'))],
  };
  return ofEntity[entity.name] ?? [];
}
