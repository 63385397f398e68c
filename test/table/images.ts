/** What lies in the table for a product of the shop, and what its removal leaves there. */
import type { Fields } from '../../src/table/entity.ts';

/** The version of a write in the second that test records are made in. */
export const now = 1_800_000_000_000_000;

export const key = { pk: 'PRODUCT#tea', sk: 'PRODUCT#tea' };

export function tea(changes: Fields = {}): Fields {
  return {
    ...key,
    gsi1pk: 'CATEGORY#drinks',
    gsi1sk: 'PRODUCT#tea',
    _type: 'Product',
    version: now,
    _born: now,
    _actor: 'merchant',
    _request: 'request-1',
    productId: 'tea',
    name: 'Green tea',
    description: '',
    category: 'drinks',
    price: 12.5,
    currency: 'EUR',
    stock: 40,
    ...changes,
  };
}

export function tombstone(changes: Fields = {}): Fields {
  return {
    ...key,
    _type: 'Product',
    version: now + 1,
    _removed: '2027-01-15T08:00:00.000Z',
    _ttl: 1_803_024_000,
    _actor: 'support',
    _reason: 'no longer made',
    _request: 'request-2',
    ...changes,
  };
}

/** The same item without one of its attributes. */
export function without(name: string, item: Fields): Fields {
  return Object.fromEntries(Object.entries(item).filter(([other]) => other !== name));
}
