/** The shop over HTTP. */
import type { Routes } from '../../http/api.ts';
import { type Right, rights } from '../../rights.ts';
import { customerRoutes } from './customers.ts';
import { orderRoutes } from './orders.ts';
import { productRoutes } from './products.ts';
import { searchRoutes } from './search.ts';

/** What the routes call: the API's role is made of it. */
export const apiRights: readonly Right[] = [
  ...rights('table', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'),
  ...rights('table/index/*', 'dynamodb:Query'),
  ...rights('audit', 'dynamodb:Query'),
  ...rights('secret/search', 'secretsmanager:GetSecretValue'),
  ...rights('secret/cache', 'secretsmanager:GetSecretValue'),
];

export const routes: Routes = (api, parts) => {
  for (const add of [customerRoutes, orderRoutes, productRoutes, searchRoutes]) add(api, parts);
};
