import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { app } from '../../src/app.ts';
import { changeId, itemName, versionText } from '../../src/table/change.ts';
import type { Fields } from '../../src/table/entity.ts';
import { recordOf } from '../support/records.ts';
import { now, tea, tombstone, without } from './images.ts';

const minute = 60_000_000;

describe('the version cannot be trusted, and the event id names the change', () => {
  test.each<[string, Fields | undefined, Fields, number]>([
    ['without one', tea(), without('version', tea({ stock: 1 })), now],
    ['with one that is a text', tea(), tea({ version: '7' }), now],
    ['with one that is no whole number', tea(), tea({ version: 1.5 }), now],
    ['with one that is 0', tea(), tea({ version: 0 }), now],
    ['with one from 2^53', tea(), tea({ version: 2 ** 53 }), now],
    ['when it went down', tea(), tea({ version: now - 1, stock: 1 }), now - 1],
    ['when content moved and it did not', tea(), tea({ stock: 1 }), now],
    ['when a removed item comes back with it', tombstone(), tea({ version: now + 1 }), now + 1],
    ['when inserted long before its time', undefined, tea({ version: now + 11 * minute }), now + 11 * minute],
    ['when inserted long after its time', undefined, tea({ version: now - 11 * minute }), now - 11 * minute],
    ['when inserted with a small one', undefined, tea({ version: 1 }), 1],
  ])('%s', (_, before, after, version) => {
    const record = recordOf({ before, after });
    const decoded = app.decode(record);
    if (decoded.verdict !== 'change') throw new Error(decoded.verdict);
    expect(decoded.change.inexact).toEqual(expect.any(String));
    expect(decoded.change.version).toBe(version);
    expect(decoded.change.id).toBe(`Product/PRODUCT#tea/PRODUCT#tea/~${record.eventID}`);
    expect(app.decode(structuredClone(record))).toEqual(decoded);
  });

  test('nobody is named: the stamps that lie there are those of the write before', () => {
    const decoded = app.decode(recordOf({ before: tea(), after: tea({ stock: 1 }) }));
    expect(decoded).toMatchObject({ change: { actor: undefined, reason: undefined, request: undefined } });
  });

  test('two such changes of one item have two ids', () => {
    const [one, other] = [1, 2].map((stock) =>
      app.decode(recordOf({ before: tea(), after: tea({ stock }) })),
    );
    if (one?.verdict !== 'change' || other?.verdict !== 'change') throw new Error('no change');
    expect(one.change.id).not.toBe(other.change.id);
    expect(one.change.version).toBe(other.change.version);
  });
});

describe('the version is exact', () => {
  test.each<[string, Fields | undefined, Fields]>([
    ['when it grew', tea(), tea({ version: now + 1 })],
    ['when it grew by much', tea(), tea({ version: now + 60 * minute })],
    ['when the item gets its first', without('version', tea()), tea({ version: 5 })],
    [
      'when inserted nine minutes early',
      undefined,
      tea({ version: now + 9 * minute, _born: now + 9 * minute }),
    ],
    [
      'when inserted nine minutes late',
      undefined,
      tea({ version: now - 9 * minute, _born: now - 9 * minute }),
    ],
  ])('%s', (_, before, after) => {
    const decoded = app.decode(recordOf({ before, after }));
    expect(decoded).toMatchObject({ verdict: 'change', change: { version: after.version } });
    expect(decoded).toMatchObject({
      change: { id: `Product/PRODUCT#tea/PRODUCT#tea/${versionText(Number(after.version))}` },
    });
    expect(decoded).not.toHaveProperty('change.inexact');
  });
});

test.each([Number.NaN, -1, 1e16, 'yesterday', '', null])(
  'a record made at %s was made at no known time',
  (time) => {
    const record = recordOf({ before: tea(), after: without('version', tea()) });
    const dynamodb = { ...record.dynamodb, ApproximateCreationDateTime: time as number };
    const decoded = app.decode({ ...record, dynamodb });
    expect(decoded).toMatchObject({ change: { version: 1, occurredAt: '1970-01-01T00:00:00.000Z' } });
  },
);

test.each([
  ['seconds', 1_763_000_000],
  ['seconds, as a text', '1.763E9'],
  ['milliseconds', 1_763_000_000_000],
  ['microseconds', 1_763_000_000_000_000],
])('a record says when it was made in %s', (_unit, time) => {
  const record = recordOf({ before: tea(), after: without('version', tea()) });
  const dynamodb = { ...record.dynamodb, ApproximateCreationDateTime: time as number };
  expect(app.decode({ ...record, dynamodb })).toMatchObject({
    change: { version: 1_763_000_000_000_000, occurredAt: '2025-11-13T02:13:20.000Z' },
  });
});

describe('ids', () => {
  const part = fc.oneof(fc.string(), fc.stringMatching(/^[/%25F~a]{0,4}$/));
  const named = fc.record({ entity: part, pk: part, sk: part, version: fc.constantFrom(1, 12, 2 ** 53 - 1) });

  test('two changes have one id exactly if entity, key and version are the same', () => {
    const id = ({
      entity,
      pk,
      sk,
      version,
    }: typeof named extends fc.Arbitrary<infer Named> ? Named : never) =>
      changeId(itemName(entity, { pk, sk }), version);
    fc.assert(
      fc.property(named, named, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(id(one) === id(other)).toBe(same);
        expect(id(one)).toBe(id(structuredClone(one)));
      }),
      { numRuns: 2000 },
    );
  });

  test('a key with slashes and percent signs does not look like another', () => {
    expect(itemName('A', { pk: 'b/c', sk: 'd' })).not.toBe(itemName('A', { pk: 'b', sk: 'c/d' }));
    expect(itemName('A', { pk: 'b/', sk: 'd' })).not.toBe(itemName('A', { pk: 'b%2F', sk: 'd' }));
  });

  test('an event id is never taken for a version', () => {
    fc.assert(
      fc.property(fc.string(), fc.maxSafeNat(), (eventId, version) => {
        expect(changeId('A/b/c', version, eventId)).not.toBe(changeId('A/b/c', version));
        expect(changeId('A/b/c', version, eventId).split('/')).toHaveLength(4);
      }),
    );
  });

  test('versions as texts sort as versions do', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (one, other) => {
        expect(versionText(one) < versionText(other)).toBe(one < other);
      }),
    );
  });
});
