import * as z from 'zod/mini';
import { defineEntity } from '../../table/entity.ts';
import { created, increased, removed } from '../../table/rules.ts';
import { amount, currency } from '../money.ts';

export const product = defineEntity({
  name: 'Product',
  schema: z.object({
    productId: z.string().check(z.minLength(1)),
    name: z.string().check(z.minLength(1)),
    description: z.string(),
    category: z.string().check(z.minLength(1)),
    price: amount,
    currency,
    stock: z.int().check(z.nonnegative()),
  }),
  key: { pk: 'PRODUCT#{productId}', sk: 'PRODUCT#{productId}', from: 'natural' },
  indexes: { gsi1: { pk: 'CATEGORY#{category}', sk: 'PRODUCT#{productId}' } },
  search: {
    index: 'products',
    fields: {
      productId: 'keyword',
      name: 'text',
      description: 'text',
      category: 'keyword',
      price: 'double',
      currency: 'keyword',
      stock: 'long',
    },
    document: (product) => product,
  },
  cache: ({ productId, category }) => [
    `product:${productId}`,
    { key: `category:${category}`, from: 'index' },
  ],
  events: {
    ProductAdded: created(),
    ProductRestocked: increased('stock'),
    ProductRemoved: removed(),
  },
  audit: {},
});
