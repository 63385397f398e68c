import type { Hono } from 'hono';
import * as z from 'zod/mini';
import { answerCreated, answerItem, answerList } from '../../http/answer.ts';
import type { ApiParts } from '../../http/api.ts';
import { Problem, problems } from '../../http/problem.ts';
import { bodyOf, byAnyone, byKey, versionSeen } from '../../http/request.ts';
import { forget } from '../../sinks/cache/forget.ts';
import { readThrough } from '../../sinks/cache/read.ts';
import { get } from '../../table/read.ts';
import { shop } from '../commands.ts';
import { product } from '../entities/product.ts';
import { cachedReads } from '../reads.ts';
import { history } from './history.ts';

const { productId, name, description, category, price, currency, stock } = product.schema.shape;
const newProduct = z.strictObject({ productId, name, description, category, price, currency, stock });
const changes = z.partial(z.strictObject({ name, description, category, price }));
const restock = z.strictObject({ quantity: z.int().check(z.positive()) });

export function productRoutes(api: Hono, { connections, store }: ApiParts): void {
  const { cache: port } = connections;
  const path = (id: string) => `/products/${encodeURIComponent(id)}`;
  const found = (id: string) => get(store, product, { productId: id });

  api.post('/products', async (context) => {
    const created = await shop(store).addProduct(await bodyOf(context, newProduct), byKey(context));
    if (created.outcome === 'created') await forget(port, product, created.item);
    return answerCreated(context, created, (item) => path(item.productId));
  });

  api.get('/products/:productId', async (context) => {
    const read = cachedReads(store).product(context.req.param('productId'));
    return answerItem(context, await readThrough({ port, ...read, now: store.now }));
  });

  api.get('/products', async (context) => {
    const wanted = context.req.query('category');
    if (wanted === undefined)
      throw new Problem(problems.invalid, 'Name a category: /products?category=kitchen');
    const read = cachedReads(store).productsIn(wanted);
    return answerList(context, (await readThrough({ port, ...read, now: store.now })) ?? []);
  });

  api.patch('/products/:productId', async (context) => {
    const id = context.req.param('productId');
    const body = await bodyOf(context, changes);
    const before = await found(id);
    const updated = await shop(store).updateProduct(id, versionSeen(context), body, byAnyone(context));
    await forget(port, product, before?.item, updated.item);
    return answerItem(context, updated);
  });

  api.post('/products/:productId/restock', async (context) => {
    const id = context.req.param('productId');
    const { quantity } = await bodyOf(context, restock);
    await shop(store).restockProduct(id, quantity, byKey(context));
    const restocked = await found(id);
    await forget(port, product, restocked?.item);
    return answerItem(context, restocked);
  });

  api.delete('/products/:productId', async (context) => {
    const id = context.req.param('productId');
    const before = await found(id);
    await shop(store).removeProduct(id, byAnyone(context));
    await forget(port, product, before?.item);
    return context.body(null, 204);
  });

  history(api, '/products/:productId/history', { connections, entity: product });
}
