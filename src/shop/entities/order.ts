import * as z from 'zod/mini';
import { defineEntity } from '../../table/entity.ts';
import { became, created } from '../../table/rules.ts';
import { orderConfirmation } from '../emails/orderConfirmation.ts';
import { orderShipped } from '../emails/orderShipped.ts';
import { amount, currency } from '../money.ts';

export const order = defineEntity({
  name: 'Order',
  schema: z.object({
    orderId: z.string().check(z.minLength(1)),
    userId: z.string().check(z.minLength(1)),
    email: z.string().check(z.email()),
    status: z.enum(['pending', 'paid', 'shipped', 'delivered', 'cancelled']),
    items: z
      .array(
        z.object({
          productId: z.string(),
          name: z.string(),
          quantity: z.int().check(z.positive()),
          price: amount,
        }),
      )
      .check(z.minLength(1), z.maxLength(99)),
    total: amount,
    currency,
    createdAt: z.iso.datetime(),
  }),
  key: { pk: 'USER#{userId}', sk: 'ORDER#{orderId}', from: 'request' },
  indexes: {
    gsi1: { pk: 'ORDER#{orderId}', sk: 'ORDER#{orderId}' },
    gsi2: { pk: 'STATUS#{status}', sk: '{createdAt}' },
    gsi3: { pk: 'ORDERS#{userId}', sk: '{createdAt}' },
  },
  steps: {
    status: {
      pending: ['paid', 'cancelled'],
      paid: ['shipped', 'cancelled'],
      shipped: ['delivered'],
      delivered: [],
      cancelled: [],
    },
  },
  personal: ['email'],
  search: {
    index: 'orders',
    fields: {
      orderId: 'keyword',
      userId: 'keyword',
      status: 'keyword',
      products: 'text',
      total: 'double',
      currency: 'keyword',
      createdAt: 'date',
    },
    document: ({ orderId, userId, status, items, total, currency, createdAt }) => ({
      orderId,
      userId,
      status,
      products: items.map(({ name }) => name),
      total,
      currency,
      createdAt,
    }),
  },
  cache: ({ orderId, userId }) => [`order:${orderId}`, { key: `orders-of:${userId}`, from: 'index' }],
  events: {
    OrderPlaced: created(),
    OrderPaid: became('status', 'paid'),
    OrderShipped: became('status', 'shipped'),
    OrderCancelled: became('status', 'cancelled'),
  },
  emails: {
    orderConfirmation: {
      on: 'OrderPlaced',
      policy: 'atMostOnce',
      to: ({ email }) => email,
      template: orderConfirmation,
    },
    orderShipped: {
      on: 'OrderShipped',
      policy: 'atLeastOnce',
      to: ({ email }) => email,
      template: orderShipped,
    },
  },
  audit: { redact: ['email'] },
});
