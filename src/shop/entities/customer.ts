import * as z from 'zod/mini';
import { defineEntity } from '../../table/entity.ts';
import { created, removed } from '../../table/rules.ts';

export const customer = defineEntity({
  name: 'Customer',
  schema: z.object({
    userId: z.string().check(z.minLength(1)),
    name: z.string().check(z.minLength(1)),
    email: z.string().check(z.email()),
    marketing: z.boolean(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  }),
  key: { pk: 'USER#{userId}', sk: 'PROFILE', from: 'natural' },
  indexes: { gsi1: { pk: 'EMAIL#{email}', sk: 'USER#{userId}' } },
  personal: ['name', 'email'],
  search: {
    index: 'customers',
    fields: { userId: 'keyword', name: 'text', email: 'keyword', marketing: 'boolean', createdAt: 'date' },
    document: ({ userId, name, email, marketing, createdAt }) => ({
      userId,
      name,
      email,
      marketing,
      createdAt,
    }),
  },
  cache: ({ userId }) => [`user:${userId}`],
  events: {
    CustomerRegistered: created({ personal: ['name'] }),
    CustomerRemoved: removed(),
  },
  audit: { redact: ['name', 'email'] },
});
