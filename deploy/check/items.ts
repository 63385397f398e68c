/** Whom and what the check makes in the shop, and what it makes it with. */
import type { Connections } from '../../src/connections.ts';
import { product } from '../../src/shop/entities/product.ts';
import { itemName } from '../../src/table/change.ts';
import type { Entity, Fields } from '../../src/table/entity.ts';
import { keyOf } from '../../src/table/keys.ts';
import type { Functions } from './functions.ts';
import type { Mock } from './mock.ts';
import type { Relay } from './relay.ts';
import type { Report } from './report.ts';

export type Shop = {
  report: Report;
  mock: Mock;
  functions: Functions;
  connections: Connections;
  stackName: string;
  /** The bucket of failed batches. */
  bucket: string;
  searchWay: Relay;
};

export const customer = { userId: 'check', name: 'Check', email: 'check@example.com' };
export const kettle = {
  productId: 'kettle',
  name: 'Kettle',
  description: 'whistles',
  category: 'kitchen',
  price: 30,
  currency: 'EUR',
  stock: 10,
};

export const nameOf = (entity: Entity, fields: Fields) => itemName(entity.name, keyOf(entity, fields));
export const kettleName = nameOf(product, kettle);

const path = `/products/${kettle.productId}`;

export function readKettle({ functions }: Pick<Shop, 'functions'>) {
  return functions.request('GET', path);
}

/** As the API asks it: under the version that was seen. */
export async function editKettle(shop: Pick<Shop, 'functions'>, changes: Fields): Promise<void> {
  const { headers } = await readKettle(shop);
  await shop.functions.request('PATCH', path, changes, { 'if-match': String(headers.etag) });
}
