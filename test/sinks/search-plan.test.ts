import type { DynamoDBRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import { app } from '../../src/app.ts';
import { product } from '../../src/shop/entities/product.ts';
import { plan } from '../../src/sinks/search/plan.ts';
import type { Change } from '../../src/table/change.ts';
import { recordOf } from '../support/records.ts';
import { epoch, history, lamp, productAt, tombstone, version } from './items.ts';

const first = productAt(1, lamp('p1'));
const second = productAt(2, lamp('p1', { price: 25 }));
const place = {
  index: 'products',
  id: 'Product/PRODUCT#p1/PRODUCT#p1',
  key: { pk: 'PRODUCT#p1', sk: 'PRODUCT#p1' },
};

function changeOf(record: DynamoDBRecord | undefined): Change {
  const decoded = app.decode(record ?? {});
  if (decoded.verdict !== 'change') throw new Error(`It is ${decoded.verdict}.`);
  return decoded.change;
}

test('a change is the whole document, at its version', () => {
  const [record] = history(first, second);
  expect(plan(changeOf(record))).toEqual([
    { ...place, kind: 'document', version: version(2), document: lamp('p1', { price: 25 }) },
  ]);
});

test('a removal is a mark and nothing else, at the version of the tombstone', () => {
  const [record] = history(second, tombstone(product, lamp('p1'), version(3)));
  const document = { sluiceRemovedAt: new Date(epoch).toISOString() };
  expect(plan(changeOf(record))).toEqual([{ ...place, kind: 'document', version: version(3), document }]);
});

test('an item that expires says so in its document', () => {
  const [record] = history(undefined, productAt(1, lamp('p1'), { _ttl: epoch / 1000 + 60 }));
  expect(plan(changeOf(record))).toMatchObject([
    { document: { sluiceExpiresAt: new Date(epoch + 60_000).toISOString() } },
  ]);
});

const expiry = { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } };

test.each([
  ['that left the version alone', recordOf({ before: second, after: { ...second, price: 30 } })],
  ['that turned the version back', recordOf({ before: second, after: first })],
  ['that took the version away', recordOf({ before: second, after: { ...second, version: undefined } })],
  ['that put back an item from long ago', recordOf({ after: { ...first, version: version(-1e10) } })],
  ['that deleted the item', recordOf({ before: second })],
  ['of DynamoDB’s time to live', recordOf({ before: second }, expiry)],
])('a change past Sluice %s is no document: the item is read again', (_what, record) => {
  expect(plan(changeOf(record))).toMatchObject([{ ...place, kind: 'reread' }]);
});

test('sets, binary and exact numbers become plain JSON', () => {
  const change = changeOf(history(undefined, first)[0]);
  const search = {
    index: 'all',
    fields: {},
    document: () => ({ set: new Set(['a', 'b']), bytes: new Uint8Array([1, 2]), nested: [{ of: null }] }),
  };
  expect(plan({ ...change, entity: { ...change.entity, search } })).toMatchObject([
    { document: { set: ['a', 'b'], bytes: 'AQI=', nested: [{ of: null }] } },
  ]);
});

test('an entity without "search" is not searched', () => {
  const change = changeOf(history(undefined, first)[0]);
  const { search: _, ...entity } = change.entity;
  expect(plan({ ...change, entity })).toEqual([]);
});
