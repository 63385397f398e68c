import type { DynamoDBRecord } from 'aws-lambda';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { app } from '../../src/app.ts';
import type { Fields } from '../../src/table/entity.ts';
import { recordOf } from '../support/records.ts';
import { key, now, tea, tombstone, without } from './images.ts';

const elsewhere = { pk: 'CART#1', sk: 'CART#1' };

test.each<[string, Fields | undefined, Fields | undefined, string]>([
  ['ours by its key, but without a type', undefined, without('_type', tea()), 'its _type is missing'],
  ['ours by its key, but with another type', undefined, tea({ _type: 'Cart' }), 'its _type is "Cart"'],
  ['ours by its key, deleted without a type', without('_type', tea()), undefined, 'its _type is missing'],
  ['ours by its type, but not by its key', undefined, tea(elsewhere), 'its key is not that of one'],
  [
    'with a key that does not follow from its fields',
    undefined,
    tea({ productId: 'pot' }),
    'does not follow',
  ],
  ['without a field', tea(), without('name', tea({ version: now + 1 })), 'does not fit Product: name'],
  ['with a field of another type', undefined, tea({ price: 'much' }), 'does not fit Product: price'],
  ['with a number that JavaScript cannot hold', undefined, tea({ stock: 2n ** 60n + 1n }), 'stock'],
])('an item %s is parked with what could be read of it', (_, before, after, reason) => {
  const decoded = app.decode(recordOf({ before, after }));
  expect(decoded).toMatchObject({ verdict: 'parked', reason: expect.stringContaining(reason) });
  expect(decoded).toMatchObject({
    change: {
      entity: { name: 'Product' },
      key: { pk: (after ?? before)?.pk },
      misfit: decoded.verdict === 'parked' && decoded.reason,
      version: expect.any(Number),
    },
  });
});

test('what an item was may be older than its schema, and is shown as it was', () => {
  const old = without('currency', tea({ legacy: true }));
  const decoded = app.decode(recordOf({ before: old, after: tea({ version: now + 1 }) }));
  expect(decoded).toMatchObject({
    verdict: 'change',
    change: { before: { legacy: true, name: 'Green tea' } },
  });
});

test('the removal of an item that did not fit is a change like any other', () => {
  const decoded = app.decode(recordOf({ before: without('name', tea()), after: tombstone() }));
  expect(decoded).toMatchObject({ verdict: 'change', change: { kind: 'remove', actor: 'support' } });
});

test('what is parked does not repeat the value that was refused', () => {
  const decoded = app.decode(recordOf({ after: tea({ price: 'SECRET', currency: 'SECRET', name: '' }) }));
  expect(decoded).toMatchObject({ verdict: 'parked' });
  expect(decoded.verdict === 'parked' && decoded.reason).not.toContain('SECRET');
});

const valid = recordOf({ before: tea(), after: tea({ version: now + 1 }) });

test.each<[string, unknown]>([
  ['no eventID', { ...valid, eventID: undefined }],
  ['an eventID that is null', { ...valid, eventID: null }],
  ['nothing of DynamoDB', { ...valid, dynamodb: undefined }],
  ['null instead of DynamoDB', { ...valid, dynamodb: null }],
  ['no keys', { ...valid, dynamodb: { ...valid.dynamodb, Keys: undefined } }],
  ['null instead of keys', { ...valid, dynamodb: { ...valid.dynamodb, Keys: null } }],
  ['a text instead of keys', { ...valid, dynamodb: { ...valid.dynamodb, Keys: 'PRODUCT#tea' } }],
  ['a key that cannot be decoded', { ...valid, dynamodb: { ...valid.dynamodb, Keys: { pk: 'a', sk: 'b' } } }],
  ['no image', { ...valid, dynamodb: { ...valid.dynamodb, OldImage: undefined, NewImage: undefined } }],
  ['null instead of images', { ...valid, dynamodb: { ...valid.dynamodb, OldImage: null, NewImage: null } }],
  ['a text instead of an image', { ...valid, dynamodb: { ...valid.dynamodb, NewImage: 'x' } }],
  ['a list instead of an image', { ...valid, dynamodb: { ...valid.dynamodb, NewImage: [] } }],
  [
    'a value that cannot be decoded',
    { ...valid, dynamodb: { ...valid.dynamodb, NewImage: { name: { X: '' } } } },
  ],
  ['a value that could not be before', { ...valid, dynamodb: { ...valid.dynamodb, OldImage: { name: {} } } }],
])('a record with %s is parked', (_, record) => {
  expect(app.decode(record as DynamoDBRecord)).toMatchObject({ verdict: 'parked' });
});

const damaged: [string, unknown][] = [
  ['empty', {}],
  ['a list', []],
  ['the hash key only', { pk: { S: key.pk } }],
  ['a hash key of another type', { pk: { N: '1' }, sk: { S: key.sk } }],
  ['keys of another name', { id: { S: key.pk } }],
];

test.each(damaged)(
  'a record whose Keys are damaged (%s) is parked where an image says that it is ours',
  (_, Keys) => {
    const images: Fields[] = [tea(), without('pk', without('sk', tea())), without('_type', tea())];
    for (const image of images)
      for (const sides of [{ after: image }, { before: image }]) {
        const record = recordOf(sides);
        const decoded = app.decode({ ...record, dynamodb: { ...record.dynamodb, Keys } } as DynamoDBRecord);
        expect(decoded).toEqual({
          verdict: 'parked',
          reason: 'its Keys are not pk and sk, but what it shows is of Product',
        });
      }
    const foreign = recordOf({ after: { id: 'cart-1', _type: 'Cart' } });
    expect(
      app.decode({ ...foreign, dynamodb: { ...foreign.dynamodb, Keys } } as DynamoDBRecord),
    ).toMatchObject({ verdict: 'ignored' });
  },
);

test('an image that is null is none', () => {
  const dynamodb = { ...valid.dynamodb, OldImage: null };
  expect(app.decode({ ...valid, eventName: 'INSERT', dynamodb } as unknown as DynamoDBRecord)).toMatchObject({
    verdict: 'change',
    change: { kind: 'insert', key },
  });
});

/** Every place in a JSON value, as the path to it. */
function placesIn(value: unknown, path: string[] = []): string[][] {
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [
    ...members.map(([name]) => [...path, name]),
    ...members.flatMap(([name, member]) => placesIn(member, [...path, name])),
  ];
}

/** The value with another one at that place, or with nothing there. */
function changedAt(value: unknown, [name, ...rest]: string[], by: unknown): unknown {
  if (name === undefined) return by;
  const members = Object.entries(Object(value)).map(([member, inner]) => [
    member,
    member === name ? changedAt(inner, rest, by) : inner,
  ]);
  const changed = members.filter(([, inner]) => inner !== undefined);
  return Array.isArray(value) ? changed.map(([, inner]) => inner) : Object.fromEntries(changed);
}

test('whatever a record holds, decoding it never throws', () => {
  const images = [undefined, tea({ tags: new Set(['a']), more: [{ x: 1 }] }), tombstone()];
  const records = images.flatMap((before) =>
    images.flatMap((after) =>
      before === undefined && after === undefined ? [] : recordOf({ before, after }),
    ),
  );
  const attribute = fc
    .constantFrom(...['S', 'N', 'B', 'SS', 'M', 'L'])
    .chain((type) => fc.dictionary(fc.constant(type), fc.jsonValue()));
  const other = fc.oneof(
    fc.constant(undefined),
    fc.constantFrom<unknown>(null, '', 0, {}, []),
    attribute,
    fc.jsonValue(),
  );
  const mutated = fc
    .constantFrom(...records)
    .chain((record) =>
      fc
        .array(fc.tuple(fc.constantFrom(...placesIn(record)), other), { minLength: 1, maxLength: 3 })
        .map((changes) =>
          changes.reduce<unknown>((result, [path, by]) => changedAt(result, path, by), record),
        ),
    );
  const seen = new Set<string>();
  fc.assert(
    fc.property(mutated, (record) => {
      const decoded = app.decode(record as DynamoDBRecord);
      seen.add(decoded.verdict);
      if (decoded.verdict === 'change') expect(decoded.change.id).toMatch(/^Product\/[^/]+\/[^/]+\/[^/]+$/);
      else expect(decoded.reason).not.toBe('');
    }),
    { numRuns: 3000, examples: [[recordOf({ after: { pk: 'SESSION#1', sk: 'SESSION#1' } })]] },
  );
  expect([...seen].sort()).toEqual(['change', 'ignored', 'parked', 'unchanged']);
});
