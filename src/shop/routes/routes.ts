/** The shop over HTTP. */
import type { Routes } from '../../http/api.ts';
import { customerRoutes } from './customers.ts';
import { orderRoutes } from './orders.ts';
import { productRoutes } from './products.ts';
import { searchRoutes } from './search.ts';

export const routes: Routes = (api, parts) => {
  for (const add of [customerRoutes, orderRoutes, productRoutes, searchRoutes]) add(api, parts);
};
