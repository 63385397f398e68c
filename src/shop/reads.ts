/** How the shop reads: through the cache, from the table consistently, or from an index for a few seconds. */
import { keyText } from '../sinks/cache/keys.ts';
import type { Entity, Fields } from '../table/entity.ts';
import { query } from '../table/query.ts';
import { get } from '../table/read.ts';
import type { Store } from '../table/store.ts';
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
