import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { app } from '../../src/app.ts';
import type { Change } from '../../src/table/change.ts';
import { recordOf } from '../support/records.ts';
import { key, now, tea, tombstone, without } from './images.ts';

const timeToLive = { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } };

function changeOf(record: DynamoDBRecord): Change {
  const decoded = app.decode(record);
  if (decoded.verdict !== 'change') throw new Error(`${decoded.verdict}: ${decoded.reason}`);
  return decoded.change;
}

const declared = {
  productId: 'tea',
  name: 'Green tea',
  description: '',
  category: 'drinks',
  price: 12.5,
  currency: 'EUR',
  stock: 40,
};

test('an insert shows the declared fields, who wrote and when', () => {
  const record = recordOf({ after: tea({ _reason: 'spring', unknown: 'other' }) });
  expect(changeOf(record)).toMatchObject({
    id: `Product/PRODUCT#tea/PRODUCT#tea/${now}`,
    item: 'Product/PRODUCT#tea/PRODUCT#tea',
    entity: { name: 'Product' },
    key,
    kind: 'insert',
    born: true,
    expired: false,
    before: undefined,
    version: now,
    carried: now,
    versionBefore: undefined,
    occurredAt: '2027-01-15T08:00:00.000Z',
    expiresAt: undefined,
    actor: 'merchant',
    reason: 'spring',
    request: 'request-1',
    images: { before: undefined, after: record.dynamodb?.NewImage },
  });
  expect(changeOf(record).after).toStrictEqual(declared);
  expect(changeOf(record)).not.toHaveProperty('inexact');
});

test('a modification shows what was and what is', () => {
  const change = changeOf(
    recordOf({ before: tea(), after: tea({ version: now + 1, stock: 39, _ttl: 1_900_000_000 }) }),
  );
  expect(change).toMatchObject({ kind: 'modify', born: false, version: now + 1, versionBefore: now });
  expect(change).toMatchObject({ before: declared, after: { ...declared, stock: 39 } });
  expect(change.expiresAt).toBe(1_900_000_000);
  expect(change).not.toHaveProperty('inexact');
});

test('a tombstone is a removal, with who and why', () => {
  const change = changeOf(recordOf({ before: tea(), after: tombstone() }));
  expect(change).toMatchObject({ kind: 'remove', before: declared, after: undefined, born: false });
  expect(change).toMatchObject({ actor: 'support', reason: 'no longer made', request: 'request-2' });
  expect(change).toMatchObject({ version: now + 1, expired: false, expiresAt: undefined });
  expect(change).not.toHaveProperty('inexact');
});

test('a creation over a tombstone is an insert and a birth', () => {
  const again = tea({ version: now + 2, _born: now + 2 });
  const change = changeOf(recordOf({ before: tombstone(), after: again }));
  expect(change).toMatchObject({ kind: 'insert', before: undefined, born: true, version: now + 2 });
  expect(change).toMatchObject({ versionBefore: now + 1 });
  expect(change).not.toHaveProperty('inexact');
});

test('a creation over an expired item that still lay there is a birth', () => {
  const change = changeOf(
    recordOf({ before: tea({ _ttl: 1 }), after: tea({ version: now + 5, _born: now + 5 }) }),
  );
  expect(change).toMatchObject({ kind: 'modify', born: true });
});

test('others who drop the mark of birth cause none', () => {
  const change = changeOf(recordOf({ before: tea(), after: without('_born', tea({ version: now + 1 })) }));
  expect(change.born).toBe(false);
});

test('a plain delete is a removal by nobody, one version on, inexact', () => {
  const record = recordOf({ before: tea() });
  expect(changeOf(record)).toMatchObject({
    id: `Product/PRODUCT#tea/PRODUCT#tea/~${record.eventID}`,
    kind: 'remove',
    before: declared,
    after: undefined,
    version: now + 1,
    carried: undefined,
    expired: false,
    inexact: 'deleted past Sluice',
    actor: undefined,
    reason: undefined,
    request: undefined,
  });
});

test('an expiry is a removal, said to be one', () => {
  const change = changeOf(recordOf({ before: tea({ _ttl: 1_799_999_999 }) }, timeToLive));
  expect(change).toMatchObject({ kind: 'remove', expired: true, version: now + 1 });
  expect(change.inexact).toBe('removed by its time to live');
});

test('a user who is not the time to live expires nothing', () => {
  const somebody = { userIdentity: { type: 'User', principalId: 'AIDA' } };
  expect(changeOf(recordOf({ before: tea() }, somebody)).expired).toBe(false);
});

test('a removal that shows a new image all the same is a removal', () => {
  const record = { ...recordOf({ before: tea(), after: tea() }), eventName: 'REMOVE' as const };
  expect(changeOf(record)).toMatchObject({ kind: 'remove', after: undefined });
});

describe('nothing has changed', () => {
  test.each([
    ['when both images are equal', tea(), tea()],
    [
      'when a set is only in another order',
      tea({ tags: new Set(['a', 'b']) }),
      tea({ tags: new Set(['b', 'a']) }),
    ],
    ['when a tombstone expires', tombstone(), undefined],
    ['when a tombstone is touched', tombstone(), tombstone({ version: now + 2 })],
    ['when a tombstone arrives alone', undefined, tombstone()],
  ])('%s', (_, before, after) => {
    expect(app.decode(recordOf({ before, after }))).toMatchObject({ verdict: 'unchanged' });
  });

  test('but a list in another order is a change', () => {
    const record = recordOf({
      before: tea({ tags: ['a', 'b'] }),
      after: tea({ tags: ['b', 'a'], version: now + 1 }),
    });
    expect(changeOf(record).kind).toBe('modify');
  });
});

describe('not ours', () => {
  const foreign = { pk: 'CART#1', sk: 'CART#1' };
  test.each([
    ['an item of no known entity', { ...foreign, _type: 'Cart' }],
    ['an item without a type', { ...foreign, text: 'x' }],
    ['an item whose type is a member of Object', { ...foreign, _type: 'constructor' }],
    ['an item whose key begins like ours, but is another', { pk: 'PRODUCT#tea', sk: 'REVIEW#1' }],
  ])('%s', (_, after) => {
    expect(app.decode(recordOf({ after }))).toMatchObject({ verdict: 'ignored' });
    expect(app.decode(recordOf({ before: after }))).toMatchObject({ verdict: 'ignored' });
  });

  test('a record of a table with other keys', () => {
    const record = recordOf({ after: { id: 'PRODUCT#tea', text: 'x' } });
    const dynamodb = { ...record.dynamodb, Keys: { id: { S: 'PRODUCT#tea' } } };
    expect(app.decode({ ...record, dynamodb })).toMatchObject({ verdict: 'ignored' });
  });

  test('an unreadable item whose key is not ours', () => {
    const record = recordOf({ after: { ...foreign, _type: 'Cart' } });
    const dynamodb = { ...record.dynamodb, NewImage: { text: { X: 'y' } } };
    expect(app.decode({ ...record, dynamodb })).toMatchObject({ verdict: 'ignored' });
  });
});

test('an item put back as it was after later writes is no birth: nobody is greeted again', () => {
  const restored = changeOf(recordOf({ after: tea({ version: now + 3, _born: now }) }));
  expect(restored).toMatchObject({ kind: 'insert', born: false });
  const long = changeOf(recordOf({ after: tea({ version: now - 1e12, _born: now - 1e12 }) }));
  expect(long).toMatchObject({ kind: 'insert', born: false });
});

test('an item that others create, without our mark, is born', () => {
  expect(changeOf(recordOf({ after: without('_born', tea()) }))).toMatchObject({ born: true });
});
