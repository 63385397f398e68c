import fc from 'fast-check';
import { expect, test } from 'vitest';
import { customer } from '../../src/shop/entities/customer.ts';
import { table } from '../../src/shop/table.ts';
import { planRow } from '../../src/sinks/audit/plan.ts';
import { readRows } from '../../src/sinks/audit/row.ts';
import { decodeImage, encodeItem } from '../../src/table/attributes.ts';
import { type Change, itemName } from '../../src/table/change.ts';
import type { Fields } from '../../src/table/entity.ts';
import { eventOf, recordOf } from '../support/records.ts';
import { anyValue } from '../table/values.ts';
import {
  ada,
  customerAt,
  epoch,
  fresh,
  history,
  lamp,
  nameOf,
  productAt,
  stored,
  tombstone,
  version,
} from './items.ts';
import { allTaken, openWorld } from './world.ts';

const world = await openWorld();

/** The audit rows of an item after these records, in the order of their keys. */
async function rowsAfter(item: Fields, records: ReturnType<typeof history>): Promise<Fields[]> {
  expect(await world.take('project', eventOf(...records))).toEqual(allTaken);
  return readRows(await world.auditRows(item));
}

test('a row says what, who, why and when, under the item and its version', async () => {
  const id = fresh('u');
  const item = customerAt(1, ada(id), { _actor: 'clerk', _reason: 'by phone', _request: 'call-7' });
  const [row] = await rowsAfter(item, history(undefined, item));
  expect(row).toEqual({
    pk: `Customer/USER#${id}/PROFILE`,
    sk: String(version(1)),
    hash: expect.stringMatching(/^[\w-]{43}$/),
    change: `Customer/USER#${id}/PROFILE/${version(1)}`,
    entity: 'Customer',
    kind: 'insert',
    version: version(1),
    exact: true,
    expired: false,
    actor: 'clerk',
    reason: 'by phone',
    request: 'call-7',
    occurredAt: new Date(epoch).toISOString(),
    diff: expect.any(Object),
  });
});

test('the diff shows what changed, on both sides, and nothing else', async () => {
  const id = fresh('lamp');
  const before = productAt(1, { ...lamp(id), old: 'gone' });
  const after = productAt(2, { ...lamp(id, { price: 25 }), tags: new Set(['new']) });
  const [row] = await rowsAfter(before, history(before, after));
  expect(row?.diff).toEqual({
    price: { before: 20, after: 25 },
    old: { before: 'gone' },
    tags: { after: new Set(['new']) },
  });
});

test('what only looks different is no difference', async () => {
  const before = productAt(1, { ...lamp(fresh('lamp')), tags: new Set(['a', 'b']), weight: 1.5 });
  const [record] = history(before, { ...before, tags: new Set(['b', 'a']), price: 21, version: version(2) });
  const image = record?.dynamodb?.NewImage ?? {};
  image.weight = { N: '1.50' };
  const [row] = await rowsAfter(before, record === undefined ? [] : [record]);
  expect(row?.diff).toEqual({ price: { before: 20, after: 21 } });
});

test('a redacted field shows that it changed, but neither side', async () => {
  const id = fresh('u');
  const records = history(
    undefined,
    customerAt(1, ada(id)),
    customerAt(2, ada(id, { email: 'ada@new.example.com', marketing: true })),
    tombstone(customer, ada(id), version(3)),
  );
  const rows = await rowsAfter(customerAt(1, ada(id)), records);
  expect(rows.map(({ diff }) => diff)).toMatchObject([
    { name: 'redacted', email: 'redacted', marketing: { after: false } },
    { email: 'redacted', marketing: { before: false, after: true } },
    { name: 'redacted', email: 'redacted', marketing: { before: true } },
  ]);
  expect(rows[1]?.diff).not.toHaveProperty('name');
  expect(JSON.stringify(rows)).not.toMatch(/example\.com|Lovelace/);
});

test('keys, stamps and index keys are in no diff', async () => {
  const id = fresh('u');
  const keyed = { gsi1pk: 'EMAIL#ada@example.com', gsi1sk: `USER#${id}`, _ttl: 2_000_000_000 };
  const [row] = await rowsAfter(customerAt(1, ada(id)), history(undefined, customerAt(1, ada(id), keyed)));
  expect(Object.keys(Object(row?.diff)).sort()).toEqual(Object.keys(ada(id)).sort());
});

test('each row names the version before it, so that a gap shows', async () => {
  const id = fresh('lamp');
  const forms = [1, 2, 3, 4].map((at) => productAt(at, lamp(id, { price: at })));
  const all = history(undefined, ...forms);
  const rows = await rowsAfter(
    forms[0] ?? {},
    all.filter((_, index) => index !== 2),
  );
  expect(rows.map(({ version, versionBefore }) => [versionBefore, version])).toEqual([
    [undefined, version(1)],
    [version(1), version(2)],
    [version(3), version(4)],
  ]);
});

test('a removal has a row with who and why, and a new incarnation goes on after it', async () => {
  const id = fresh('u');
  const rows = await rowsAfter(
    customerAt(1, ada(id)),
    history(
      customerAt(1, ada(id)),
      tombstone(customer, ada(id), version(2)),
      stored(customer, ada(id), { version: version(3) }),
    ),
  );
  expect(rows).toMatchObject([
    { kind: 'remove', actor: 'remover', reason: 'asked to', versionBefore: version(1) },
    { kind: 'insert', actor: 'tester', versionBefore: version(2) },
  ]);
});

test('changes past Sluice have rows too, which say that they are inexact, and why', async () => {
  const item = productAt(1, lamp(fresh('lamp')));
  const edits = [30, 40].map((price) => recordOf({ before: item, after: { ...item, price } }));
  const rows = await rowsAfter(item, [...edits, recordOf({ before: item })]);
  expect(rows).toMatchObject([
    { exact: false, inexact: 'changed without a new version', version: version(1) },
    { exact: false, inexact: 'changed without a new version', version: version(1) },
    { exact: false, inexact: 'deleted past Sluice', version: version(2) },
  ]);
  expect(new Set(rows.map(({ sk }) => sk)).size).toBe(3);
  expect(rows[2]).not.toHaveProperty('actor');
});

test('what DynamoDB’s time to live removed is marked as expired', async () => {
  const item = productAt(1, lamp(fresh('lamp')));
  const userIdentity = { type: 'Service', principalId: 'dynamodb.amazonaws.com' };
  const [row] = await rowsAfter(item, [recordOf({ before: item }, { userIdentity })]);
  expect(row).toMatchObject({ kind: 'remove', expired: true, inexact: 'removed by its time to live' });
});

test('an item that does not fit its entity is logged all the same, and says what does not fit', async () => {
  const before = productAt(1, lamp(fresh('lamp')));
  const [row] = await rowsAfter(before, history(before, { ...before, version: version(2), price: 'much' }));
  expect(row).toMatchObject({
    exact: true,
    misfit: expect.stringContaining('price'),
    diff: { price: { before: 20, after: 'much' } },
  });
});

test('the tombstone’s own expiry later is no change', async () => {
  const grave = tombstone(customer, ada(fresh('u')), version(2));
  expect(await rowsAfter(grave, [recordOf({ before: grave })])).toEqual([]);
});

function changeOf(record: ReturnType<typeof recordOf>): Change {
  const decoded = world.app.decode(record);
  if (decoded.verdict !== 'change') throw new Error(`It is ${decoded.verdict}.`);
  return decoded.change;
}

test('a stored row reads as the planned one does, whatever its values', async () => {
  await fc.assert(
    fc.asyncProperty(anyValue, anyValue, async (one, other) => {
      const id = fresh('lamp');
      const records = history(productAt(1, lamp(id, { any: one })), productAt(2, lamp(id, { any: other })));
      const [row] = await rowsAfter(productAt(1, lamp(id)), records);
      expect([row]).toEqual(readRows(records.flatMap((record) => planRow(table, changeOf(record)))));
    }),
    { numRuns: 50 },
  );
});

test('the diff is exact for every attribute type, whether binary comes as bytes or as text', () => {
  const at = (id: string, any: unknown) => productAt(1, lamp(id, { any, version: version(1) }));
  fc.assert(
    fc.property(anyValue, (value) => {
      const id = fresh('lamp');
      const change = changeOf(recordOf({ after: at(id, value) }));
      const bytes = { ...change, images: { before: undefined, after: encodeItem(at(id, value)) } };
      for (const same of [change, bytes]) {
        const [row] = readRows(planRow(table, same).map((planned) => decodeImage(encodeItem(planned))));
        expect(Object(row?.diff).any).toEqual({ after: decodeImage(encodeItem({ value })).value });
      }
    }),
    { numRuns: 300 },
  );
});

test('of an item with a key as long as DynamoDB allows, audit trail and search know all the same', async () => {
  const [long, other] = [customerAt(1, ada('/'.repeat(700))), customerAt(1, ada(`${'/'.repeat(699)}%`))];
  const rows = await rowsAfter(long, [...history(undefined, long), ...history(undefined, other)]);
  expect(rows).toMatchObject([{ change: `${nameOf(long)}/${version(1)}`, version: version(1) }]);
  for (const item of [long, other]) {
    expect((await world.document('customers', nameOf(item)))?.source).toMatchObject({ name: 'Ada Lovelace' });
    expect(await world.auditRows(item)).toHaveLength(1);
  }
});

test('the name of an item is short enough for every place, and no other item has it', () => {
  const text = fc.oneof(fc.constantFrom('/', '%', 'é', '😀', 'x', '%2F'), fc.string({ maxLength: 3 }));
  const part = fc.tuple(text, fc.nat(800)).map(([one, times]) => one.repeat(times).slice(0, 800));
  const key = fc.record({ pk: part, sk: part });
  fc.assert(
    fc.property(key, key, (one, other) => {
      const [name, another] = [itemName('Order', one), itemName('Order', other)];
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(400);
      expect(name).toBe(itemName('Order', { ...one }));
      expect(name === another).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
    { numRuns: 1000 },
  );
  const long = itemName('Order', { pk: `USER#${'x'.repeat(600)}`, sk: `ORDER#${'/'.repeat(300)}` });
  expect(long).toMatch(/^Order\/USER#x{95}\/ORDER#(%2F)+\/[\w-]{43}$/);
  // A short key cannot be spelled like the name of a long one.
  const [entity = '', pk = '', ...rest] = long.split('/');
  expect(itemName(entity, { pk, sk: rest.join('/') })).not.toBe(long);
});
