/** What a declaration may say and what it may not: checked by the compiler alone. */
import * as z from 'zod/mini';
import { defineEntity } from '../../src/table/entity.ts';
import { became, created, increased, removed } from '../../src/table/rules.ts';

const schema = z.object({
  ticketId: z.string(),
  status: z.enum(['open', 'closed']),
  seats: z.number(),
  email: z.string(),
  tag: z.optional(z.string()),
  seen: z.boolean(),
  lines: z.array(z.string()),
});
const name = 'Ticket';
const key = { pk: 'TICKET#{ticketId}', sk: 'TICKET', from: 'natural' } as const;
const template = { subject: '', text: '', html: '' };

void (() => [
  defineEntity({
    name,
    schema,
    key: { pk: 'TICKET#{ticketId}', sk: 'SEATS#{seats}', from: 'request' },
    indexes: { gsi1: { pk: 'TAG#{tag}', sk: '{status}#{ticketId}' } },
    steps: { status: { open: ['closed'], closed: [] } },
    personal: ['email'],
    search: { index: 'tickets', fields: { email: 'text' }, document: ({ email }) => ({ email }) },
    cache: ({ ticketId }) => [ticketId, { key: ticketId, from: 'index' }],
    events: {
      Opened: created({ personal: ['email'] }),
      Closed: became('status', 'closed', { personal: ['email'] }),
      Enlarged: increased('seats'),
      Removed: removed(),
    },
    emails: { hello: { on: 'Opened', policy: 'atMostOnce', to: ({ email }) => email, template } },
    audit: { redact: ['email'] },
  }),

  // @ts-expect-error: a misspelt field in the key
  defineEntity({ name, schema, key: { pk: 'TICKET#{tiketId}', sk: 'TICKET', from: 'natural' } }),
  // @ts-expect-error: a misspelt field in the sort key
  defineEntity({ name, schema, key: { pk: 'TICKET#{ticketId}', sk: '{ticketID}', from: 'natural' } }),
  // @ts-expect-error: one field of two is misspelt
  defineEntity({ name, schema, key: { pk: 'A#{ticketId}#{tiket}', sk: 'TICKET', from: 'natural' } }),
  // @ts-expect-error: a list cannot stand in a key
  defineEntity({ name, schema, key: { pk: 'TICKET#{lines}', sk: 'TICKET', from: 'natural' } }),
  // @ts-expect-error: a boolean cannot stand in a key
  defineEntity({ name, schema, key: { pk: 'TICKET#{seen}', sk: 'TICKET', from: 'natural' } }),
  // @ts-expect-error: a key is from a request or natural
  defineEntity({ name, schema, key: { pk: 'TICKET#{ticketId}', sk: 'TICKET', from: 'random' } }),

  // @ts-expect-error: a misspelt field in an index
  defineEntity({ name, schema, key, indexes: { gsi1: { pk: 'TAG#{tga}', sk: '{ticketId}' } } }),
  // @ts-expect-error: a misspelt field in the sort key of an index
  defineEntity({ name, schema, key, indexes: { gsi1: { pk: 'TAG#{tag}', sk: '{tiketId}' } } }),
  // @ts-expect-error: an index without a sort key
  defineEntity({ name, schema, key, indexes: { gsi1: { pk: 'TAG#{tag}' } } }),

  // @ts-expect-error: no such status
  defineEntity({ name, schema, key, events: { Closed: became('status', 'shut') } }),
  // @ts-expect-error: another type of value
  defineEntity({ name, schema, key, events: { Full: became('seats', '0') } }),
  // @ts-expect-error: no such field
  defineEntity({ name, schema, key, events: { Closed: became('state', 'closed') } }),
  // @ts-expect-error: no such field
  defineEntity({ name, schema, key, events: { Enlarged: increased('seat') } }),
  // @ts-expect-error: no such personal field
  defineEntity({ name, schema, key, events: { Opened: created({ personal: ['mail'] }) } }),
  // @ts-expect-error: no such personal field
  defineEntity({ name, schema, key, events: { Closed: became('status', 'closed', { personal: ['mail'] }) } }),
  // @ts-expect-error: one event of two is wrong
  defineEntity({ name, schema, key, events: { Opened: created(), Closed: became('status', 'shut') } }),

  defineEntity({
    name,
    schema,
    key,
    events: { Opened: created() },
    // @ts-expect-error: a misspelt event
    emails: { hello: { on: 'Openned', policy: 'atMostOnce', to: ({ email }) => email, template } },
  }),
  defineEntity({
    name,
    schema,
    key,
    // @ts-expect-error: an email without any event
    emails: { hello: { on: 'Opened', policy: 'atMostOnce', to: ({ email }) => email, template } },
  }),
  defineEntity({
    name,
    schema,
    key,
    events: { Opened: created() },
    // @ts-expect-error: no such policy
    emails: { hello: { on: 'Opened', policy: 'exactlyOnce', to: ({ email }) => email, template } },
  }),

  // @ts-expect-error: no such personal field
  defineEntity({ name, schema, key, personal: ['mail'] }),
  // @ts-expect-error: no such field to redact
  defineEntity({ name, schema, key, audit: { redact: ['mail'] } }),
  // @ts-expect-error: no such field to step
  defineEntity({ name, schema, key, steps: { state: { open: ['closed'] } } }),
  // @ts-expect-error: no such status to step to
  defineEntity({ name, schema, key, steps: { status: { open: ['shut'], closed: [] } } }),
  // @ts-expect-error: a status without its steps
  defineEntity({ name, schema, key, steps: { status: { open: ['closed'] } } }),

  defineEntity({
    name,
    schema,
    key,
    search: {
      index: 'tickets',
      fields: { email: 'text', tag: 'text' },
      // @ts-expect-error: the document lacks a field
      document: ({ email }) => ({ email }),
    },
  }),
  defineEntity({
    name,
    schema,
    key,
    search: {
      index: 'tickets',
      fields: { email: 'text' },
      // @ts-expect-error: the document has a field that search does not know
      document: ({ email, tag }) => ({ email, tag }),
    },
  }),
  defineEntity({
    name,
    schema,
    key,
    search: {
      index: 'tickets',
      // @ts-expect-error: no such type of search field
      fields: { email: 'string' },
      document: ({ email }) => ({ email }),
    },
  }),
  defineEntity({
    name,
    schema,
    key,
    // @ts-expect-error: no such field of the item
    cache: ({ ticketID }) => [ticketID],
  }),
]);
