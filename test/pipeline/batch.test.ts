/** What a batch may hold besides good records, and the second form that it comes in. */
import { gunzipSync } from 'node:zlib';
import type { DynamoDBRecord, DynamoDBStreamEvent, KinesisStreamEvent } from 'aws-lambda';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonOf } from '../../src/deliveries/json.ts';
import { readParked } from '../../src/deliveries/records.ts';
import { holdKey, unitOf } from '../../src/deliveries/rows.ts';
import { readEntry } from '../../src/pipeline/batch.ts';
import { decodeSafely } from '../../src/pipeline/stream.ts';
import { fresh, lamp, nameOf, productAt } from '../sinks/items.ts';
import { allTaken, openWorld } from '../sinks/world.ts';
import { eventOf, recordOf } from '../support/records.ts';
import { no, notebook } from './notebook.ts';

const world = await openWorld();

const parkedNow = async () => readParked(await world.allParkedRows());
const batchOf = (...records: unknown[]) => ({ Records: records }) as DynamoDBStreamEvent;

/** A change as DynamoDB writes it to a Kinesis stream. */
function kinesisRecord(record: DynamoDBRecord, sequenceNumber: string) {
  const { SequenceNumber: _, StreamViewType: __, ...dynamodb } = record.dynamodb ?? {};
  const change = {
    awsRegion: record.awsRegion,
    eventID: record.eventID,
    eventName: record.eventName,
    userIdentity: null,
    recordFormat: 'application/json',
    tableName: 'sluice-shop',
    dynamodb: {
      ...dynamodb,
      ApproximateCreationDateTime: (dynamodb.ApproximateCreationDateTime ?? 0) * 1_000_000,
      ApproximateCreationDateTimePrecision: 'MICROSECOND',
    },
    eventSource: 'aws:dynamodb',
  };
  return kinesisData(JSON.stringify(change), sequenceNumber);
}

function kinesisData(text: string, sequenceNumber: string) {
  return {
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: 'p',
      sequenceNumber,
      data: Buffer.from(text).toString('base64'),
      approximateArrivalTimestamp: 1_800_000_000,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `shardId-0:${sequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: 'arn:aws:iam::000000000000:role/r',
    awsRegion: 'eu-central-1',
    eventSourceARN: 'arn:aws:kinesis:eu-central-1:000000000000:stream/s',
  };
}

test('changes that come by Kinesis arrive everywhere as those of the table’s own stream do', async () => {
  const form = productAt(1, lamp(fresh('lamp')));
  const event: KinesisStreamEvent = { Records: [kinesisRecord(recordOf({ after: form }), '49657')] };
  expect(await world.take('project', event)).toEqual(allTaken);
  expect(await world.take('notify', event)).toEqual(allTaken);
  expect(await world.document('products', nameOf(form))).toMatchObject({ version: form.version });
  expect(await world.auditRows(form)).toMatchObject([
    { kind: 'insert', exact: true, occurredAt: '2027-01-15T08:00:00.000Z' },
  ]);
  expect(world.bus.events().map((published) => published.detail.data)).toContainEqual(
    expect.objectContaining({ productId: form.productId }),
  );
});

test('a change that came by Kinesis is parked with its whole record, and comes home from there', async () => {
  let isWell = false;
  const book = notebook({
    send: async (notes) => notes.map(() => (isWell ? { state: 'applied' } : no(true))),
  });
  const form = productAt(1, lamp(fresh('lamp')));
  const record = kinesisRecord(recordOf({ after: form }), '49658');
  expect(await world.takeBy({ sinks: [book.factory] }, 'project', { Records: [record] })).toEqual(allTaken);
  const [parked, ...more] = await world.parkedChanges(book.name, nameOf(form));
  expect(more).toEqual([]);
  expect(parked).toMatchObject({ state: 'waiting', version: form.version });
  expect(parked?.raw).toEqual(record);
  isWell = true;
  const { sinks } = await world.redrive({ sinks: [book.factory] });
  expect(sinks[book.name]).toMatchObject({ applied: 1 });
  expect(await world.parkedChanges(book.name, nameOf(form))).toEqual([]);
});

test('a Kinesis record that cannot be parked is answered by Kinesis’ own sequence number', async () => {
  const book = notebook({ send: async (notes) => notes.map(() => no(false)) });
  const records = ['101', '102'].map((sequence) =>
    kinesisRecord(recordOf({ after: productAt(1, lamp(fresh('lamp'))) }), sequence),
  );
  world.refuseParking();
  expect(await world.takeBy({ sinks: [book.factory] }, 'project', { Records: records })).toEqual({
    batchItemFailures: [{ itemIdentifier: '101' }],
  });
});

test('what somebody else wrote to the Kinesis stream is parked, and its neighbours go on', async () => {
  const form = productAt(1, lamp(fresh('lamp')));
  const strange = [kinesisData('not json', '1'), kinesisData('{"clicks":1}', '2'), kinesisData('', '3')];
  const event = { Records: [...strange, kinesisRecord(recordOf({ after: form }), '4')] };
  expect(await world.take('project', event)).toEqual(allTaken);
  expect(await world.auditRows(form)).toHaveLength(1);
  const parked = await parkedNow();
  for (const record of strange)
    expect(parked).toContainEqual(
      expect.objectContaining({ record, reason: 'its Kinesis data is no change of a DynamoDB table' }),
    );
});

test.each([
  ['a hole', null],
  ['a number', 7],
  ['a text', 'record'],
  ['a list', []],
  ['an SQS message', { messageId: '1', eventSource: 'aws:sqs', body: '{}' }],
  ['a record of nothing', { eventSource: 'aws:dynamodb' }],
  ['a record with an empty id', { ...recordOf({ after: productAt(1, lamp('x')) }), eventID: '' }],
])('%s in a batch is parked as it is, and its neighbours go on', async (_what, raw) => {
  const form = productAt(1, lamp(fresh('lamp')));
  expect(await world.take('project', batchOf(raw, recordOf({ after: form })))).toEqual(allTaken);
  expect(await world.auditRows(form)).toHaveLength(1);
  const parked = await parkedNow();
  expect(parked.map(({ record }) => JSON.stringify(record))).toContain(JSON.stringify(raw));
});

test('a record deeper than any that JSON.stringify writes is parked whole', async () => {
  const levels = 20_000;
  const deep = JSON.parse(`${'{"M":{"a":'.repeat(levels)}{"S":"end"}${'}}'.repeat(levels)}`);
  const poison = recordOf({ after: productAt(1, lamp(fresh('lamp'))) });
  Object.assign(poison.dynamodb?.NewImage ?? {}, { deep });
  const form = productAt(1, lamp(fresh('lamp')));
  expect(await world.take('project', batchOf(poison, recordOf({ after: form })))).toEqual(allTaken);
  expect(await world.auditRows(form)).toHaveLength(1);
  const row = (await world.allParkedRows()).find(({ pk }) => pk === `record/${poison.eventID}`);
  const text = gunzipSync(row?.record as Uint8Array).toString();
  expect(text.split('{"M":{"a":').length - 1).toBe(levels);
  expect(JSON.parse(text).dynamodb.Keys).toEqual(poison.dynamodb?.Keys);
});

test('two readers that are given one record with its members in another order park it once', async () => {
  const poison = recordOf({ after: { ...productAt(1, lamp(fresh('lamp'))), price: 'much' } });
  const image = Object.entries(poison.dynamodb?.NewImage ?? {});
  const other = structuredClone(poison);
  Object.assign(other, { dynamodb: { ...poison.dynamodb, NewImage: Object.fromEntries(image.reverse()) } });
  await world.take('project', eventOf(poison));
  await world.take('notify', eventOf(other));
  expect(await world.parkedRows(poison)).toHaveLength(1);
});

/** Something that can stand in a record where something else belongs. */
const hostileName = fc.constantFrom('__proto__', 'constructor', 'toString', '', '\u0000', 'S', 'M', '\ud800');
const anything = fc.oneof(
  { depthSize: 'small' },
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom<unknown>(null, -1, 1e308, '', 'x'.repeat(500_000), '\ud800', [[]], { S: 1 }, { N: 'NaN' }),
  fc.dictionary(hostileName, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 }),
);

/** Every place in a record, as a path of member names. */
function placesIn(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, member]) => placesIn(member, [...path, name]))];
}

type Mutation = { place: number; kind: 'replace' | 'remove' | 'add'; value: unknown; name: string };

const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    place: fc.nat(),
    kind: fc.constantFrom('replace', 'remove', 'add'),
    value: anything,
    name: hostileName,
  }),
  { minLength: 1, maxLength: 4 },
);

function mutated(record: DynamoDBRecord, steps: readonly Mutation[]): unknown {
  const holder: { record: unknown } = { record: structuredClone(record) };
  for (const { place, kind, value: given, name } of steps) {
    const value = structuredClone(given); // put in twice, it would be changed in both places
    const places = placesIn(holder).slice(1);
    const path = places[place % places.length] ?? [];
    const last = path.at(-1) ?? '';
    const parent = path.slice(0, -1).reduce<unknown>((at, member) => Object(at)[member], holder) as object;
    const target = Object(Reflect.get(parent, last)) as object;
    if (kind === 'remove') Reflect.deleteProperty(parent, last);
    else if (kind === 'replace' || Array.isArray(target)) Reflect.set(parent, last, value);
    else Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return holder.record;
}

/** Whether it is in a batch as something that nobody can take. */
const isPoison = (raw: unknown) => decodeSafely(world.app, readEntry(raw)).verdict === 'parked';

test('records mutated in any way crash no handler, take no good neighbour with them, and are parked whole', async () => {
  const poison = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(mutations, { minLength: 1, maxLength: 3 }), async (many) => {
      const good = [1, 2].map(() => productAt(1, lamp(fresh('good'))));
      const bad = many.map((steps) => mutated(recordOf({ after: productAt(1, lamp(fresh('bad'))) }), steps));
      const records = [recordOf({ after: good[0] }), ...bad, recordOf({ after: good[1] })];
      const text = JSON.stringify(records);
      for (const raw of JSON.parse(text)) if (isPoison(raw)) poison.add(JSON.stringify(raw));
      const before = world.batches.length;
      for (const reader of ['project', 'notify'] as const)
        expect(await world.take(reader, batchOf(...JSON.parse(text)))).toEqual(allTaken);
      for (const form of good) {
        expect(await world.document('products', nameOf(form))).toMatchObject({ version: form.version });
        expect(await world.auditRows(form)).toHaveLength(1);
      }
      for (const report of world.batches.slice(before)) {
        const { changes, unchanged, ignored, parked } = report;
        expect(changes + unchanged + ignored + parked).toBe(records.length);
      }
    }),
    { numRuns: 80 },
  );
  const rows = await world.allParkedRows();
  const texts = new Set(readParked(rows).map(({ record }) => jsonOf(record)));
  expect(poison.size).toBeGreaterThan(0);
  expect([...poison].filter((text) => !texts.has(text))).toEqual([]);

  // What could be read but not delivered: a row of the change, or the hold of its item.
  const changes = new Set(rows.map(({ pk, change }) => `${pk} ${change}`));
  const holds = new Set(rows.filter(({ sk }) => sk === holdKey).map(({ pk }) => pk));
  const undelivered = world.batches.flatMap(({ outcomes }) =>
    outcomes.flatMap(({ change, item, sinks }) =>
      Object.entries(sinks).flatMap(([sink, { waiting = 0, refused = 0 }]) =>
        waiting + refused > 0 ? [{ unit: unitOf(sink, item), change }] : [],
      ),
    ),
  );
  const isParked = ({ unit, change }: { unit: string; change: string }) =>
    holds.has(unit) || changes.has(`${unit} ${change}`);
  expect(undelivered.filter((one) => !isParked(one))).toEqual([]);
}, 120_000);

test('an event that is mutated beyond a batch is refused by name, never taken as empty', async () => {
  await fc.assert(
    fc.asyncProperty(anything, async (event) => {
      const records = Object(event).Records;
      fc.pre(!(Array.isArray(records) && records.length === 0));
      await expect(world.take('project', event as DynamoDBStreamEvent)).rejects.toThrow(
        /it looks like .+\.$/,
      );
    }),
  );
});

test('good records are taken as they were before', async () => {
  const form = productAt(1, lamp(fresh('lamp')));
  expect(await world.take('project', eventOf(recordOf({ after: form })))).toEqual(allTaken);
  expect(await world.auditRows(form)).toHaveLength(1);
});
