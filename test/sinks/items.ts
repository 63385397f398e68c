/** Items of the shop as they lie in the table, and the records of what becomes of them. */
import type { DynamoDBRecord } from 'aws-lambda';
import { customer } from '../../src/shop/entities/customer.ts';
import { order } from '../../src/shop/entities/order.ts';
import { product } from '../../src/shop/entities/product.ts';
import { table } from '../../src/shop/table.ts';
import { itemName } from '../../src/table/change.ts';
import type { Entity, Fields } from '../../src/table/entity.ts';
import { keyAttributes, keyOf } from '../../src/table/keys.ts';
import { recordOf } from '../support/records.ts';

/** When the tests' records happen, epoch milliseconds. */
export const epoch = 1_800_000_000_000;

/** The item's own number after so many writes. */
export const version = (writes: number) => epoch * 1000 + writes;

let count = 0;

/** An id that no other test of the file has. */
export const fresh = (what: string) => `${what}${++count}`;

export type Stamps = { version?: number | undefined; born?: number | undefined } & Fields;

/** An item as it lies in the table: its fields, keys, type and version. */
export function stored(entity: Entity, item: Fields, { version: at, born, ...stamps }: Stamps): Fields {
  return {
    ...keyAttributes(table, keyOf(entity, item)),
    [table.type]: entity.name,
    ...(at !== undefined && { [table.version]: at }),
    ...((born ?? at) !== undefined && { [table.born]: born ?? at }),
    [table.actor]: 'tester',
    [table.request]: `request-${at}`,
    ...item,
    ...stamps,
  };
}

export function tombstone(entity: Entity, item: Fields, at: number): Fields {
  return {
    ...keyAttributes(table, keyOf(entity, item)),
    [table.type]: entity.name,
    [table.version]: at,
    [table.removed]: new Date(epoch).toISOString(),
    [table.ttl]: epoch / 1000 + 35 * 24 * 3600,
    [table.actor]: 'remover',
    [table.reason]: 'asked to',
    [table.request]: `request-${at}`,
  };
}

export const lamp = (productId: string, fields: Fields = {}): Fields => ({
  productId,
  name: 'Lamp',
  description: 'It shines',
  category: 'light',
  price: 20,
  currency: 'EUR',
  stock: 5,
  ...fields,
});

export const ada = (userId: string, fields: Fields = {}): Fields => ({
  userId,
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  marketing: false,
  createdAt: '2027-01-15T08:00:00.000Z',
  updatedAt: '2027-01-15T08:00:00.000Z',
  ...fields,
});

export const purchase = (orderId: string, fields: Fields = {}): Fields => ({
  orderId,
  userId: 'u1',
  email: 'ada@example.com',
  status: 'pending',
  items: [{ productId: 'p1', name: 'Lamp', quantity: 1, price: 20 }],
  total: 20,
  currency: 'EUR',
  createdAt: '2027-01-15T08:00:00.000Z',
  ...fields,
});

export const productAt = (at: number, item: Fields, stamps: Stamps = {}) =>
  stored(product, item, { version: version(at), born: version(1), ...stamps });
export const orderAt = (at: number, item: Fields, stamps: Stamps = {}) =>
  stored(order, item, { version: version(at), born: version(1), ...stamps });
export const customerAt = (at: number, item: Fields, stamps: Stamps = {}) =>
  stored(customer, item, { version: version(at), born: version(1), ...stamps });

/** How the item is called in every sink. */
export function nameOf(stored: Fields): string {
  const { pk, sk, _type } = stored as { pk: string; sk: string; _type: string };
  return itemName(_type, { pk, sk });
}

/** The records of an item that took these forms one after the other; `undefined`: it was not there. */
export function history(...forms: (Fields | undefined)[]): DynamoDBRecord[] {
  return forms.slice(1).map((after, index) => recordOf({ before: forms[index], after }));
}
