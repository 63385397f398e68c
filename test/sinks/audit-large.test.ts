/** Changes that no single row can hold as they are: large ones, deep ones, ones with much to say. */
import { randomBytes } from 'node:crypto';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { product } from '../../src/shop/entities/product.ts';
import { historyOf } from '../../src/sinks/audit/history.ts';
import { readRows } from '../../src/sinks/audit/row.ts';
import { encodeItem } from '../../src/table/attributes.ts';
import type { Entity, Fields } from '../../src/table/entity.ts';
import { eventOf } from '../support/records.ts';
import { fresh, history, lamp, nameOf, productAt, tombstone, version } from './items.ts';
import { towards } from './proxy.ts';
import { allTaken, nothing, openWorld } from './world.ts';

const world = await openWorld();
const { dynamodb } = world.proxies;
const TableName = world.config.SLUICE_AUDIT_TABLE;

const rowsOf = async (item: Fields) => readRows(await world.auditRows(item));
const historyFor = (item: Fields, limit = 10) =>
  historyOf(world.connections, nameOf(item), limit) as Promise<Fields[]>;
const parkedStates = async (item: Fields) =>
  (await world.parkedChanges('audit', nameOf(item))).map(({ state }) => state);
const counted = () => world.batches.at(-1)?.sinks.audit;
const transactions = () => dynamodb.seen.filter(({ operation }) => operation === 'TransactWriteItems');
const isHead = (body: string) => body.includes('"parts"');
/** The audit trail's own table takes no row whose text holds this. */
const refuse = (isRefused: (body: string) => boolean) => {
  dynamodb.conduct = towards(TableName, ({ body }) => (isRefused(body) ? 'closed' : undefined));
};
const small = () => history(undefined, productAt(1, lamp(fresh('lamp'))));

const photo = (bytes = 350_000) => new Uint8Array(randomBytes(bytes));

/** A lamp whose photo was replaced: 700 KB that nothing makes smaller. */
function replaced(id = fresh('lamp')) {
  const [before, after] = [
    productAt(1, lamp(id, { photo: photo() })),
    productAt(2, lamp(id, { photo: photo() })),
  ];
  const diff = { photo: { before: before.photo, after: after.photo } };
  return { id, item: before, after, diff, records: history(before, after) };
}

/** The shop, with products of which this is redacted. */
const hiding = (...redact: string[]) => ({ entities: [{ ...product, audit: { redact } } as Entity] });

function nested(levels: number): unknown {
  return levels === 0 ? 'x' : { d: nested(levels - 1) };
}

test.each<[string, Fields, Fields]>([
  ['a field of 200 KB replaced by another', { photo: 'a'.repeat(200_000) }, { photo: 'b'.repeat(200_000) }],
  ['a list of 40,000 numbers', {}, { points: Array.from({ length: 40_000 }, (_, index) => index % 10) }],
  ['a value as deep as DynamoDB allows', {}, { extra: nested(31) }],
  ['350 KB of random bytes replaced by others', { photo: photo() }, { photo: photo() }],
])('%s is in the trail, as it was and as it is, and so are its neighbours', async (_what, old, now) => {
  const id = fresh('lamp');
  const [before, after] = [productAt(1, lamp(id, old)), productAt(2, lamp(id, now))];
  const batch = eventOf(...small(), ...history(before, after), ...small());
  expect(await world.take('project', batch)).toEqual(allTaken);
  expect(counted()).toEqual({ ...nothing, applied: 3 });
  const [row, ...more] = await rowsOf(before);
  expect(more).toEqual([]);
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  const sides = (name: string) => ({ ...(name in old && { before: old[name] }), after: now[name] });
  expect(row).toMatchObject({ version: version(2), exact: true });
  expect(row?.diff).toEqual(Object.fromEntries(names.map((name) => [name, sides(name)])));
  const stored = await world.auditRows(before);
  expect(await world.take('project', batch)).toEqual(allTaken);
  expect(counted()).toEqual({ ...nothing, repeated: 3 });
  expect(await world.auditRows(before)).toEqual(stored);
});

test('however large the changes, no transaction is too large or of too many rows', async () => {
  const large = [replaced(), replaced(), replaced()];
  const batch = large.flatMap(({ records }) => [...records, ...Array.from({ length: 10 }, small).flat()]);
  expect(await world.take('project', eventOf(...batch))).toEqual(allTaken);
  const puts = transactions().map(({ body }) => JSON.parse(body).TransactItems.length as number);
  expect(Math.max(...puts)).toBeLessThanOrEqual(25);
  expect(Math.max(...transactions().map(({ body }) => body.length))).toBeLessThan(1024 * 1024);
  for (const { item, diff } of large) expect(await rowsOf(item)).toMatchObject([{ diff }]);
});

test('its parts are no versions of their own: the history shows each version once, newest first', async () => {
  const { id, item, after, records } = replaced();
  const third = productAt(3, lamp(id, { photo: photo() }));
  await world.take(
    'project',
    eventOf(...records, ...history(after, third, tombstone(product, lamp(id), version(4)))),
  );
  const shown = await historyFor(item);
  expect(shown.map((row) => row.version)).toEqual([4, 3, 2].map(version));
  expect(shown[1]).not.toHaveProperty('part');
  const base64 = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString('base64');
  expect(shown[1]?.diff).toEqual({ photo: { before: base64(after.photo), after: base64(third.photo) } });
  expect((await historyFor(item, 2)).map((row) => row.version)).toEqual([4, 3].map(version));
});

test('until all of it is there nothing is seen, it is parked whole, and the next try completes it', async () => {
  const { item, diff, records } = replaced();
  refuse(isHead);
  expect(await world.take('project', eventOf(...records))).toEqual(allTaken);
  expect(await world.auditRows(item)).not.toEqual([]);
  expect([await rowsOf(item), await historyFor(item)]).toEqual([[], []]);
  const [parked] = await world.parkedChanges('audit', nameOf(item));
  expect(parked).toMatchObject({ state: 'waiting', version: version(2) });
  expect(parked?.raw).toEqual(records[0]);
  dynamodb.calm();
  await world.redrive();
  expect(await rowsOf(item)).toMatchObject([{ diff }]);
  expect(await world.parkedChanges('audit', nameOf(item))).toEqual([]);
  expect(await world.hold('audit', nameOf(item))).toBeUndefined();
});

test('a part that cannot be put holds back the head', async () => {
  const { item, records } = replaced();
  refuse((body) => body.includes('#2#'));
  expect(await world.take('project', eventOf(...records))).toEqual(allTaken);
  const puts = transactions().filter(({ body }) => body.includes(`"${TableName}"`));
  expect(puts.length).toBeGreaterThan(0);
  expect(puts.some(({ body }) => isHead(body))).toBe(false);
  expect(await rowsOf(item)).toEqual([]);
  expect(await parkedStates(item)).toEqual(['waiting']);
});

test('written though every answer was lost, it is there once', async () => {
  const { item, diff, records } = replaced();
  let times = 0;
  dynamodb.conduct = towards(TableName, () => (++times % 2 === 1 ? 'lost' : undefined));
  expect(await world.take('project', eventOf(...records))).toEqual(allTaken);
  expect(times).toBeGreaterThan(4);
  expect(await parkedStates(item)).toEqual([]);
  dynamodb.calm();
  expect(await rowsOf(item)).toMatchObject([{ diff }]);
});

/** A lamp with two large fields, one of which is hidden later; the other alone still fills more than one row. */
function filmed() {
  const at = (writes: number, id: string) =>
    productAt(writes, lamp(id, { photo: photo(250_000), film: photo(120_000) }));
  const id = fresh('lamp');
  const [before, after] = [at(1, id), at(2, id)];
  return { before, after, records: history(before, after) };
}

test('a replay by a shop that hides more by now is the same version still, and writes nothing', async () => {
  const { before, records } = filmed();
  await world.take('project', eventOf(...records));
  const stored = await world.auditRows(before);
  for (const hidden of [['film'], ['film', 'photo']]) {
    expect(await world.takeBy(hiding(...hidden), 'project', eventOf(...records))).toEqual(allTaken);
    expect(counted()).toMatchObject({ repeated: 1, failed: 0 });
    expect(await world.auditRows(before)).toEqual(stored);
  }
});

test('begun by one shop and ended by another that hides more, it is whole, and as the other has it', async () => {
  const { before, after, records } = filmed();
  refuse(isHead);
  expect(await world.take('project', eventOf(...records))).toEqual(allTaken);
  expect(await parkedStates(before)).toEqual(['waiting']);
  dynamodb.calm();
  await world.redrive(hiding('film'));
  const diff = { film: 'redacted', photo: { before: before.photo, after: after.photo } };
  expect((await rowsOf(before)).map((row) => row.diff)).toEqual([diff]);
});

test('another content under the version of a large change is an alarm: it is parked whole, and writes nothing', async () => {
  const { id, item, records } = replaced();
  await world.take('project', eventOf(...records));
  const stored = await world.auditRows(item);
  const forged = replaced(id).records;
  expect(await world.take('project', eventOf(...forged))).toEqual(allTaken);
  expect(counted()).toEqual({ ...nothing, refused: 1 });
  const [parked, ...more] = await world.parkedChanges('audit', nameOf(item));
  expect(more).toEqual([]);
  expect(parked).toMatchObject({ state: 'refused', reason: expect.stringContaining('ALARM') });
  expect(parked?.raw).toEqual(forged[0]);
  expect(await world.hold('audit', nameOf(item))).toBeUndefined();
  expect(await world.auditRows(item)).toEqual(stored);
});

test('a row that lost one of its parts says so', async () => {
  const { item, records } = replaced();
  await world.take('project', eventOf(...records));
  const [part] = (await world.auditRows(item)).filter(({ part }) => part === 2);
  await world.dynamodb.send(
    new DeleteItemCommand({ TableName, Key: encodeItem({ pk: part?.pk, sk: part?.sk }) }),
  );
  const [row, ...more] = await historyFor(item);
  expect(more).toEqual([]);
  expect(row).toMatchObject({ version: version(2), incomplete: true });
  expect(row).not.toHaveProperty('diff');
});

test('what does not fit in ten thousand ways is told in short, in the trail and where it is parked', async () => {
  const misfit = 'points: wrong; '.repeat(30_000);
  const strict = { entities: [{ ...product, parse: () => ({ misfit }) } as Entity] };
  const records = small();
  for (const reader of ['project', 'notify'] as const)
    expect(await world.takeBy(strict, reader, eventOf(...records))).toEqual(allTaken);
  const [parked] = (await Promise.all(records.map(world.parkedRows))).flat();
  expect(parked?.reason).toMatch(/^the item does not fit Product: points: wrong; points: .*…$/);
  const change = records
    .map((record) => world.app.decode(record))
    .find((one) => one.verdict === 'change')?.change;
  expect(await historyOf(world.connections, change?.item ?? '', 1)).toHaveLength(1);
});

test('a change with a reason that fills a row is in the trail, with the beginning of it', async () => {
  const item = productAt(1, lamp(fresh('lamp')), { _reason: 'why '.repeat(99_000) });
  expect(await world.take('project', eventOf(...history(undefined, item)))).toEqual(allTaken);
  expect(await rowsOf(item)).toMatchObject([
    { actor: 'tester', reason: expect.stringMatching(/^(why )+…$/) },
  ]);
});
