/** The file that a user edits: this table, these entities, these sinks. */
import { defineApp } from './pipeline/app.ts';
import { customer } from './shop/entities/customer.ts';
import { order } from './shop/entities/order.ts';
import { product } from './shop/entities/product.ts';
import { table } from './shop/table.ts';
import { audit } from './sinks/audit/sink.ts';
import { bus } from './sinks/bus/sink.ts';
import { cache } from './sinks/cache/sink.ts';
import { email } from './sinks/email/sink.ts';
import { search } from './sinks/search/sink.ts';

export { apiRights, routes } from './shop/routes/routes.ts';

export const app = defineApp({
  table,
  entities: [customer, product, order],
  sinks: [search, cache, audit, email, bus],
});
