/** Items that others put back, from a backup or by hand: they cause no event and no mail a second time. */
import { expect, test } from 'vitest';
import { app } from '../../src/app.ts';
import { planRows } from '../../src/sinks/email/sink.ts';
import type { Fields } from '../../src/table/entity.ts';
import { eventsOf } from '../../src/table/events.ts';
import { recordOf } from '../support/records.ts';

const now = 1_800_000_000_000_000; // the time of the records, as a version
const month = 30 * 24 * 3600 * 1_000_000;

function orderAt(version: number, changes: Fields = {}): Fields {
  return {
    pk: 'USER#ada',
    sk: 'ORDER#o1',
    _type: 'Order',
    _request: 'request',
    _born: version,
    version,
    orderId: 'o1',
    userId: 'ada',
    email: 'ada@example.com',
    status: 'pending',
    items: [{ productId: 'tea', name: 'Tea', quantity: 1, price: 1 }],
    total: 1,
    currency: 'EUR',
    createdAt: '2027-01-15T08:00:00.000Z',
    ...changes,
  };
}

function caused(images: Parameters<typeof recordOf>[0]) {
  const decoded = app.decode(recordOf(images));
  if (decoded.verdict !== 'change') throw new Error(`It is ${decoded.verdict}.`);
  return {
    events: eventsOf(decoded.change).map(({ name }) => name),
    mails: planRows(decoded.change).map(({ email }) => email),
  };
}

test('an order that is placed is confirmed, and one that is shipped says so', () => {
  expect(caused({ after: orderAt(now) })).toEqual({ events: ['OrderPlaced'], mails: ['orderConfirmation'] });
  const shipped = orderAt(now + 2, { status: 'shipped', _born: now });
  expect(caused({ before: orderAt(now + 1, { status: 'paid', _born: now }), after: shipped })).toEqual({
    events: ['OrderShipped'],
    mails: ['orderShipped'],
  });
});

test.each<[string, Fields]>([
  ['at once, as it was shipped', orderAt(now + 3, { status: 'shipped', _born: now })],
  ['a month later, as it was shipped', orderAt(now - month + 3, { status: 'shipped', _born: now - month })],
  ['a month later, as it was placed', orderAt(now - month)],
  [
    'a month later, adopted and without our mark',
    orderAt(now - month, { status: 'delivered', _born: undefined }),
  ],
  ['at once, delivered, without our mark', orderAt(now, { status: 'delivered', _born: now - 5 })],
])('an order put back %s causes nothing', (_, after) => {
  expect(caused({ after })).toEqual({ events: [], mails: [] });
});
