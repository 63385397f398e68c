import type { Hono } from 'hono';
import * as z from 'zod/mini';
import { answerCreated, answerItem, answerList } from '../../http/answer.ts';
import type { ApiParts } from '../../http/api.ts';
import { Problem, problems } from '../../http/problem.ts';
import { bodyOf, byAnyone, byKey, pageSize, versionSeen } from '../../http/request.ts';
import { forget } from '../../sinks/cache/forget.ts';
import { readThrough } from '../../sinks/cache/read.ts';
import { query, queryPage } from '../../table/query.ts';
import { get } from '../../table/read.ts';
import { shop } from '../commands.ts';
import { order } from '../entities/order.ts';
import { product } from '../entities/product.ts';
import { cachedReads } from '../reads.ts';
import { history } from './history.ts';

const { status } = order.schema.shape;
const newOrder = z.strictObject({
  items: z.array(z.strictObject({ productId: z.string(), quantity: z.number() })),
});
const step = z.strictObject({ status });

export function orderRoutes(api: Hono, { connections, store }: ApiParts): void {
  const { cache: port } = connections;
  const address = '/customers/:userId/orders/:orderId';

  api.post('/customers/:userId/orders', async (context) => {
    const userId = context.req.param('userId');
    const { items } = await bodyOf(context, newOrder);
    const by = byKey(context);
    const created = await shop(store).placeOrder({ userId, idempotencyKey: by.request, items }, by);
    if (created.outcome === 'created') {
      await forget(port, order, created.item);
      // Their stock went down with it.
      const products = await Promise.all(items.map(({ productId }) => get(store, product, { productId })));
      await forget(port, product, ...products.map((found) => found?.item));
    }
    return answerCreated(
      context,
      created,
      (item) => `/customers/${encodeURIComponent(userId)}/orders/${item.orderId}`,
    );
  });

  api.get('/customers/:userId/orders', async (context) => {
    const userId = context.req.param('userId');
    const cursor = context.req.query('cursor');
    const options = { index: 'gsi3', newestFirst: true, limit: pageSize(context), ...(cursor && { cursor }) };
    const { found, next } = await queryPage(store, order, { userId }, options);
    return answerList(context, found, next);
  });

  api.get(address, async (context) => {
    const { userId, orderId } = context.req.param();
    const read = cachedReads(store).order(userId, orderId);
    return answerItem(context, await readThrough({ port, ...read, now: store.now }));
  });

  api.get('/orders/:orderId', async (context) => {
    const [found] = await query(
      store,
      order,
      { orderId: context.req.param('orderId') },
      { index: 'gsi1', limit: 1 },
    );
    return answerItem(context, found);
  });

  api.get('/orders', async (context) => {
    const wanted = status.safeParse(context.req.query('status'));
    if (!wanted.success)
      throw new Problem(problems.invalid, `Name a status: ${Object.values(status.def.entries).join(', ')}.`);
    const cursor = context.req.query('cursor');
    const options = { index: 'gsi2', newestFirst: true, limit: pageSize(context), ...(cursor && { cursor }) };
    const { found, next } = await queryPage(store, order, { status: wanted.data }, options);
    return answerList(context, found, next);
  });

  api.patch(address, async (context) => {
    const key = context.req.param();
    const body = await bodyOf(context, step);
    const updated = await shop(store).setOrderStatus(
      key,
      versionSeen(context),
      body.status,
      byAnyone(context),
    );
    await forget(port, order, updated.item);
    return answerItem(context, updated);
  });

  api.delete(address, async (context) => {
    const key = context.req.param();
    await shop(store).removeOrder(key, byAnyone(context));
    await forget(port, order, key);
    return context.body(null, 204);
  });

  history(api, `${address}/history`, { connections, entity: order });
}
