/** What is ours but cannot be decoded, or does not fit: set aside whole, so that the stream moves on. */
import { randomBytes } from 'node:crypto';
import type { DynamoDBRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import { readParked } from '../../src/deliveries/records.ts';
import { fresh, history, lamp, nameOf, productAt } from '../sinks/items.ts';
import { allTaken, from, openWorld } from '../sinks/world.ts';
import { eventOf, recordOf } from '../support/records.ts';

const world = await openWorld();
const { dynamodb } = world.proxies;

/** A record of ours whose price no decoder takes; it can be heavy, too. */
function poison(price = 'much', bytes = 0): DynamoDBRecord {
  const record = recordOf({ after: productAt(1, lamp(fresh('lamp'))) });
  const image = record.dynamodb?.NewImage ?? {};
  image.price = { N: price };
  if (bytes > 0) image.photo = { B: randomBytes(bytes).toString('base64') };
  return record;
}

const sound = () => recordOf({ after: productAt(1, lamp(fresh('lamp'))) });

const parkedOf = async (...records: DynamoDBRecord[]) =>
  readParked((await Promise.all(records.map(world.parkedRows))).flat());
const payload = (row: { record?: unknown } | undefined) => row?.record;

test('a record that cannot be decoded is parked whole, with why, and its neighbours go on', async () => {
  const records = [sound(), poison(), sound()] as const;
  expect(await world.take('project', eventOf(...records))).toEqual(allTaken);
  const [row, ...more] = await parkedOf(...records);
  expect(more).toEqual([]);
  expect(row).toMatchObject({
    state: 'refused',
    reason: expect.stringContaining('price'),
    recordedAt: 1_800_000_000,
  });
  expect(row?.reason).not.toContain('much');
  expect(payload(row)).toEqual(records[1]);
  expect(world.batches.at(-1)).toMatchObject({ changes: 2, parked: 1, sinks: { search: { applied: 2 } } });
});

test('it is parked once, however often it comes, and by both readers', async () => {
  const record = poison();
  for (const reader of ['project', 'notify', 'project'] as const)
    expect(await world.take(reader, eventOf(record, structuredClone(record)))).toEqual(allTaken);
  expect(await parkedOf(record)).toHaveLength(1);
});

const item = productAt(1, lamp('p1'));
const odd = (image: object) => {
  const record = recordOf({ after: item });
  if (record.dynamodb) Object.assign(record.dynamodb, image);
  return record;
};

test.each([
  ['does not fit its entity', recordOf({ before: item, after: { ...item, price: -1 } })],
  ['has the key of one entity and the name of another', recordOf({ after: { ...item, _type: 'Order' } })],
  ['has a key of ours but no name', recordOf({ after: { ...item, _type: undefined } })],
  [
    'lies under a key that does not follow from its fields',
    recordOf({ after: { ...item, productId: 'p2' } }),
  ],
  ['has no images, since the stream does not show them', odd({ NewImage: undefined })],
  ['has no keys', odd({ Keys: undefined })],
  [
    'is of no time that there is',
    odd({ Keys: undefined, ApproximateCreationDateTime: Number.POSITIVE_INFINITY }),
  ],
])('a record that %s is parked', async (_what, record) => {
  expect(await world.take('notify', eventOf(record))).toEqual(allTaken);
  const [row] = await parkedOf(record);
  expect(payload(row)).toEqual(JSON.parse(JSON.stringify(record)));
  expect(world.bus.events().filter(({ detail }) => JSON.stringify(detail).includes('p2'))).toEqual([]);
});

test('a record without an event id is parked by what it holds', async () => {
  const { eventID: _, ...record } = poison();
  const before = (await world.allParkedRows()).length;
  expect(await world.take('project', eventOf(record, record))).toEqual(allTaken);
  const rows = readParked(await world.allParkedRows());
  expect(rows).toHaveLength(before + 1);
  expect(rows.map(payload)).toContainEqual(record);
});

test('two records under one event id are both kept', async () => {
  const one = poison('much');
  const other = { ...poison('more'), eventID: String(one.eventID) };
  expect(await world.take('project', eventOf(one, other))).toEqual(allTaken);
  expect(await world.take('notify', eventOf(other))).toEqual(allTaken);
  expect((await parkedOf(one)).map(payload)).toEqual(expect.arrayContaining([one, other]));
  expect(await parkedOf(one)).toHaveLength(2);
});

test('of an item that does not fit, the cache and the audit trail still take what can be read', async () => {
  const before = productAt(1, lamp(fresh('lamp')));
  const id = String(before.productId);
  const held = await world.cache.read(`product:${id}`);
  await world.cache.fill(`product:${id}`, 'token' in held ? held.token : '', 'held', 60_000);
  const [record] = history(before, { ...before, version: Number(before.version) + 1, price: -1 });
  if (record) await world.take('project', eventOf(record));
  expect(await world.cache.peek(`product:${id}`)).toBeUndefined();
  expect(await world.auditRows(before)).toHaveLength(1);
  expect(await world.document('products', nameOf(before))).toBeUndefined();
});

test('more records than one transaction takes are all parked', async () => {
  const records = Array.from({ length: 60 }, () => poison());
  expect(await world.take('notify', eventOf(...records))).toEqual(allTaken);
  expect(await parkedOf(...records)).toHaveLength(60);
  expect(dynamodb.seen).toHaveLength(3);
});

test('heavy records are parked in several transactions, none of them above DynamoDB’s 4 MB', async () => {
  const records = Array.from({ length: 25 }, () => poison('much', 200_000));
  expect(await world.take('notify', eventOf(...records))).toEqual(allTaken);
  expect(await parkedOf(...records)).toHaveLength(25);
  expect(Math.max(...dynamodb.seen.map(({ body }) => body.length))).toBeLessThan(4 * 1024 * 1024);
});

/** A change from one photo to another: 700 KB that nothing makes smaller. */
function heavy(price = 'much'): DynamoDBRecord {
  const [before, after] = [poison('1', 350_000), poison(price, 350_000)];
  return { ...after, dynamodb: { ...after.dynamodb, OldImage: before.dynamodb?.NewImage ?? {} } };
}

test('a record that no single row can hold is parked whole, once, and its neighbours are', async () => {
  const records = [poison(), heavy(), poison()] as const;
  for (const reader of ['project', 'notify'] as const)
    expect(await world.take(reader, eventOf(...records, structuredClone(records[1])))).toEqual(allTaken);
  expect((await parkedOf(...records)).map(payload)).toEqual(records);
  expect(await world.parkedRows(records[1])).not.toHaveLength(1);
});

test('until all of it is there nothing is seen, and the next try completes it', async () => {
  const record = heavy();
  dynamodb.conduct = ({ body }) => (body.includes('"parts"') ? 'closed' : undefined);
  expect(await world.take('notify', eventOf(record))).toEqual(from(record));
  expect(await parkedOf(record)).toEqual([]);
  dynamodb.calm();
  expect(await world.take('notify', eventOf(record))).toEqual(allTaken);
  expect((await parkedOf(record)).map(payload)).toEqual([record]);
});

test('when it cannot be seen whether it is parked already, its record is answered', async () => {
  const records = [poison(), heavy(), poison()] as const;
  dynamodb.conduct = ({ operation }) => (operation === 'GetItem' ? 'closed' : undefined);
  expect(await world.take('notify', eventOf(...records))).toEqual(from(records[1]));
  expect(await parkedOf(...records)).toHaveLength(2);
});

test('when parking fails that record is answered; what could be delivered was', async () => {
  const records = [sound(), poison(), sound()] as const;
  dynamodb.conduct = ({ body }) => (body.includes('sluice-deliveries') ? 'closed' : undefined);
  expect(await world.take('project', eventOf(...records))).toEqual(from(records[1]));
  expect(world.batches.at(-1)?.sinks).toMatchObject({ search: { applied: 2 }, audit: { applied: 2 } });
  dynamodb.calm();
  expect(await world.take('project', eventOf(...records.slice(1)))).toEqual(allTaken);
  expect(await parkedOf(...records)).toHaveLength(1);
});

test('of records and deliveries that cannot be parked the first is answered, whichever it is', async () => {
  const bad = recordOf({ after: productAt(1, lamp(fresh('lamp'), { category: 'X'.repeat(40_000) })) });
  dynamodb.conduct = ({ body }) => (body.includes('sluice-deliveries') ? 'closed' : undefined);
  const [one, other] = [poison(), poison()];
  expect(await world.take('project', eventOf(sound(), one, bad))).toEqual(from(one));
  expect(await world.take('project', eventOf(sound(), bad, other))).toEqual(from(bad));
});
