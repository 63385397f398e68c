import type { Hono } from 'hono';
import * as z from 'zod/mini';
import { answerCreated, answerItem } from '../../http/answer.ts';
import type { ApiParts } from '../../http/api.ts';
import { bodyOf, byAnyone, byKey, versionSeen } from '../../http/request.ts';
import { forget } from '../../sinks/cache/forget.ts';
import { readThrough } from '../../sinks/cache/read.ts';
import { shop } from '../commands.ts';
import { customer } from '../entities/customer.ts';
import { cachedReads } from '../reads.ts';
import { history } from './history.ts';

const { userId, name, email, marketing } = customer.schema.shape;
const newCustomer = z.strictObject({ userId, name, email, marketing: z._default(marketing, false) });
const changes = z.strictObject({
  name: z.optional(name),
  email: z.optional(email),
  marketing: z.optional(marketing),
});

export function customerRoutes(api: Hono, { connections, store }: ApiParts): void {
  const { cache: port } = connections;
  const path = (id: string) => `/customers/${encodeURIComponent(id)}`;

  api.post('/customers', async (context) => {
    const created = await shop(store).registerCustomer(await bodyOf(context, newCustomer), byKey(context));
    if (created.outcome === 'created') await forget(port, customer, created.item);
    return answerCreated(context, created, (item) => path(item.userId));
  });

  api.get('/customers/:userId', async (context) => {
    const read = cachedReads(store).customer(context.req.param('userId'));
    return answerItem(context, await readThrough({ port, ...read, now: store.now }));
  });

  api.patch('/customers/:userId', async (context) => {
    const id = context.req.param('userId');
    const body = await bodyOf(context, changes);
    const updated = await shop(store).updateCustomer(id, versionSeen(context), body, byAnyone(context));
    await forget(port, customer, updated.item);
    return answerItem(context, updated);
  });

  api.delete('/customers/:userId', async (context) => {
    const id = context.req.param('userId');
    await shop(store).removeCustomer(id, byAnyone(context));
    await forget(port, customer, { userId: id });
    return context.body(null, 204);
  });

  history(api, '/customers/:userId/history', { connections, entity: customer });
}
