/** How the shop reads: through the cache, from the table consistently, or from an index for a few seconds. */
import { keyText } from '../sinks/cache/keys.ts';
import type { CachePort } from '../sinks/cache/port.ts';
import { readThrough } from '../sinks/cache/read.ts';
import type { Entity, Fields } from '../table/entity.ts';
import { get, query } from '../table/read.ts';
import type { Store } from '../table/store.ts';
import type { Found } from '../table/stored.ts';
import { customer } from './entities/customer.ts';
import { order } from './entities/order.ts';
import { product } from './entities/product.ts';

/** What is read from an index may lag behind it: it is cached for seconds only. */
const indexMilliseconds = 5_000;

type Read = { key: string; read(): Promise<unknown> };

/** One cached read: its key and how to read it afresh. */
export function cachedReads(store: Store) {
  return {
    customer: (userId: string) => ({ key: `user:${userId}`, read: () => get(store, customer, { userId }) }),
    order: (userId: string, orderId: string) => ({
      key: `order:${orderId}`,
      read: () => get(store, order, { userId, orderId }),
    }),
    product: (productId: string) => ({
      key: `product:${productId}`,
      read: () => get(store, product, { productId }),
    }),
    ordersOf: (userId: string) => ({
      key: `user:${userId}:orders`,
      read: () => query(store, order, { userId }, { index: 'gsi3', newestFirst: true }),
      milliseconds: indexMilliseconds,
    }),
    productsIn: (category: string) => ({
      key: `category:${category}`,
      read: () => query(store, product, { category }, { index: 'gsi1' }),
      milliseconds: indexMilliseconds,
    }),
  };
}

export function shopReads(store: Store, port: CachePort | undefined) {
  const reads = cachedReads(store);
  const expiresAt = (found: Found<unknown>) =>
    found.expiresAt === undefined ? undefined : found.expiresAt * 1000;
  const through = <Value extends Found<unknown>>(read: { key: string; read(): Promise<Value | undefined> }) =>
    readThrough<Value>({ port, ...read, expiresAt, now: store.now });
  return {
    customer: (userId: string) => through(reads.customer(userId)),
    order: (userId: string, orderId: string) => through(reads.order(userId, orderId)),
    product: (productId: string) => through(reads.product(productId)),
    ordersOf: (userId: string) => readThrough({ port, ...reads.ordersOf(userId), now: store.now }),
    productsIn: (category: string) => readThrough({ port, ...reads.productsIn(category), now: store.now }),
  };
}

/** Every cached read that an item can be seen through: what a comparison of cache and table goes by. */
export function readsOf(store: Store, entity: Entity, item: Fields): Read[] {
  const reads = cachedReads(store);
  const [userId, orderId, productId, category] = ['userId', 'orderId', 'productId', 'category'].map((field) =>
    String(item[field]),
  );
  const all: Read[] = [
    reads.customer(`${userId}`),
    reads.order(`${userId}`, `${orderId}`),
    reads.product(`${productId}`),
    reads.ordersOf(`${userId}`),
    reads.productsIn(`${category}`),
  ];
  const keys = new Set((entity.cache?.(item) ?? []).map(keyText));
  return all.filter(({ key }) => keys.has(key));
}
