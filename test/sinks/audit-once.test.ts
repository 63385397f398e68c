import fc from 'fast-check';
import { expect, test } from 'vitest';
import { product } from '../../src/shop/entities/product.ts';
import { readRows } from '../../src/sinks/audit/row.ts';
import { decodeImage } from '../../src/table/attributes.ts';
import type { Fields } from '../../src/table/entity.ts';
import { eventOf, recordOf } from '../support/records.ts';
import { fresh, history, lamp, nameOf, productAt, tombstone, version } from './items.ts';
import { json, towards } from './proxy.ts';
import { allTaken, nothing, openWorld } from './world.ts';

const world = await openWorld();
const { dynamodb } = world.proxies;

const rowsOf = async (item: Fields) => readRows(await world.auditRows(item));
const counted = () => world.batches.at(-1)?.sinks.audit;
const TableName = world.config.SLUICE_AUDIT_TABLE;
const transactions = () =>
  dynamodb.seen.filter(
    ({ operation, body }) => operation === 'TransactWriteItems' && body.includes(`"${TableName}"`),
  );
const parkedOf = (item: Fields) => world.parkedChanges('audit', nameOf(item));
const alarm = { state: 'refused', reason: expect.stringContaining('ALARM') };

function life() {
  const id = fresh('lamp');
  const forms = [1, 2, 3].map((at) => productAt(at, lamp(id, { price: at })));
  const all = [
    ...forms,
    tombstone(product, lamp(id), version(4)),
    productAt(5, lamp(id), { born: version(5) }),
  ];
  return { item: forms[0] ?? {}, records: history(undefined, ...all) };
}

test('every version has a row, and the same batch again adds none', async () => {
  const { item, records } = life();
  expect(await world.take('project', eventOf(...records))).toEqual(allTaken);
  expect(counted()).toEqual({ ...nothing, applied: 5 });
  const rows = await rowsOf(item);
  expect(rows.map((row) => row.version)).toEqual([1, 2, 3, 4, 5].map(version));
  expect(await world.take('project', eventOf(...records))).toEqual(allTaken);
  expect(counted()).toEqual({ ...nothing, repeated: 5 });
  expect(await rowsOf(item)).toEqual(rows);
});

test('a record twice in one batch has one row', async () => {
  const { item, records } = life();
  const [first] = records.slice(0, 1);
  if (first === undefined) throw new Error('There is one.');
  const again = structuredClone(first);
  expect(await world.take('project', eventOf(first, ...records.slice(1, 3), again))).toEqual(allTaken);
  expect(counted()).toMatchObject({ applied: 3, repeated: 1, failed: 0 });
  expect(await rowsOf(item)).toHaveLength(3);
});

test('another content under the same version is an alarm: parked, it overwrites nothing and stops no neighbour', async () => {
  const { item, records } = life();
  await world.take('project', eventOf(...records.slice(0, 3)));
  const rows = await rowsOf(item);
  const forged = history(
    productAt(1, lamp(String(item.productId))),
    productAt(2, lamp(String(item.productId))),
  );
  const neighbour = life();
  const batch = [...neighbour.records.slice(0, 2), ...forged, ...neighbour.records.slice(2)];
  expect(await world.take('project', eventOf(...batch))).toEqual(allTaken);
  expect(await rowsOf(item)).toEqual(rows);
  expect(await rowsOf(neighbour.item)).toHaveLength(5);
  expect(counted()).toEqual({ ...nothing, applied: 5, refused: 1 });
  const parked = await parkedOf(item);
  expect(parked).toMatchObject([{ ...alarm, version: version(2) }]);
  expect(parked.map(({ raw }) => raw)).toEqual(forged);
  expect(await parkedOf(neighbour.item)).toEqual([]);
});

test('another past of the same version is an alarm as well', async () => {
  const { item, records } = life();
  await world.take('project', eventOf(...records.slice(0, 2)));
  const after = records[1]?.dynamodb?.NewImage ?? {};
  const forged = history({ ...item, price: 99 }, decodeImage(after));
  expect(await world.take('project', eventOf(...forged))).toEqual(allTaken);
  expect(await parkedOf(item)).toMatchObject([{ ...alarm, version: version(2) }]);
});

test('an alarm is tried once, and not again by itself', async () => {
  const { item, records } = life();
  await world.take('project', eventOf(...records.slice(0, 1)));
  dynamodb.seen.length = 0;
  await world.take('project', eventOf(...history(undefined, { ...item, price: 99 })));
  expect(transactions()).toHaveLength(1);
  expect(await parkedOf(item)).toMatchObject([alarm]);
  await world.redrive();
  expect(transactions()).toHaveLength(1);
});

test('more than 25 rows take several transactions, and each row is there', async () => {
  const lives = Array.from({ length: 12 }, life);
  expect(await world.take('project', eventOf(...lives.flatMap(({ records }) => records)))).toEqual(allTaken);
  expect(counted()).toMatchObject({ applied: 60, failed: 0 });
  expect(transactions()).toHaveLength(3);
  for (const { item } of lives) expect(await rowsOf(item)).toHaveLength(5);
});

test('rows written though the answer was lost are there once', async () => {
  const { item, records } = life();
  let times = 0;
  // More often than the client repeats by itself.
  dynamodb.conduct = towards(TableName, () => (++times <= 4 ? 'lost' : undefined));
  expect(await world.take('project', eventOf(...records))).toEqual(allTaken);
  expect(times).toBe(5);
  expect(counted()).toEqual({ ...nothing, repeated: 5 });
  expect(await rowsOf(item)).toHaveLength(5);
});

test('what conflicts with another transaction is tried again', async () => {
  const { item, records } = life();
  let times = 0;
  const reasons = records.map((_, index) => ({ Code: index === 1 ? 'TransactionConflict' : 'None' }));
  const conflict = json(400, { __type: 'TransactionCanceledException', CancellationReasons: reasons });
  dynamodb.conduct = towards(TableName, () => (++times === 1 ? conflict : undefined));
  expect(await world.take('project', eventOf(...records))).toEqual(allTaken);
  expect(times).toBe(3); // its neighbours at once, and then itself
  expect(counted()).toEqual({ ...nothing, applied: 5 });
  expect(await rowsOf(item)).toHaveLength(5);
});

test('an attribute that nothing can hold is in the trail as the stream showed it', async () => {
  const { item } = life();
  const [odd] = history(undefined, { ...item, tags: new Set(['x']) });
  const image = odd?.dynamodb?.NewImage ?? {};
  image.tags = { SS: [] };
  expect(await world.take('project', eventOf(...(odd ? [odd] : [])))).toEqual(allTaken);
  expect(await rowsOf(item)).toMatchObject([{ diff: { tags: { after: new Set() } } }]);
});

test('shuffled and repeated, in any batches, a history gives the same rows', async () => {
  const order = fc.array(fc.array(fc.nat(5), { minLength: 1, maxLength: 8 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(order, async (batches) => {
      const { item, records } = life();
      const edited = recordOf({ before: item, after: { ...item, price: 99 } });
      const all = [...records, edited];
      for (const batch of batches) {
        const event = eventOf(...batch.flatMap((index) => structuredClone(all[index]) ?? []));
        expect(await world.take('project', event)).toEqual(allTaken);
      }
      const expected = [...new Set(batches.flat())].map((index) => all[index]?.dynamodb?.SequenceNumber);
      expect(await rowsOf(item)).toHaveLength(expected.length);
      await world.take('project', eventOf(...all));
      const straight = life();
      await world.take('project', eventOf(...straight.records));
      const facts = ({ version, versionBefore, kind, diff }: Fields) => ({
        version,
        versionBefore,
        kind,
        diff,
      });
      const exact = (await rowsOf(item)).filter((row) => row.exact).map(facts);
      expect(exact.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5].map(version));
      expect(exact.slice(1, 3)).toEqual((await rowsOf(straight.item)).slice(1, 3).map(facts));
    }),
    { numRuns: 20 },
  );
});

test('a row that DynamoDB refuses with the whole transaction takes no neighbour along', async () => {
  const [good, bad, other] = [life(), life(), life()];
  const poison = String(bad.item.productId);
  const refusal = json(400, { __type: 'com.amazon.coral.validate#ValidationException', message: 'no' });
  dynamodb.conduct = towards(TableName, ({ body }) => (body.includes(poison) ? refusal : undefined));
  const batch = [...good.records.slice(0, 1), ...bad.records.slice(0, 1), ...other.records.slice(0, 1)];
  expect(await world.take('project', eventOf(...batch))).toEqual(allTaken);
  expect(await rowsOf(good.item)).toHaveLength(1);
  expect(await rowsOf(other.item)).toHaveLength(1);
  expect(await rowsOf(bad.item)).toHaveLength(0);
  expect(await parkedOf(bad.item)).toMatchObject([
    { state: 'refused', reason: 'ValidationException: no', version: version(1) },
  ]);
  for (const { item } of [good, other]) expect(await parkedOf(item)).toEqual([]);
});
