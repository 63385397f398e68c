import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventSourceMapping } from '../../src/local/mapping/mapping.ts';
import { fakeStreams, streamArn, streamRecord, streamsClient } from './fakeStreams.ts';
import { checkpointOf, numbersOf } from './harness.ts';

type Fault = 'throw' | 'partial' | 'wrong';
/** What goes wrong with a record, one fault for each time the function comes to it. */
type RecordFaults = Fault[];

const scenario = fc.record({
  shards: fc.array(
    fc.array(fc.array(fc.constantFrom<Fault>('throw', 'partial', 'wrong'), { maxLength: 3 }), {
      maxLength: 12,
    }),
    { minLength: 1, maxLength: 3 },
  ),
  lineage: fc.boolean(),
  batchSize: fc.integer({ min: 1, max: 6 }),
  recordsPerPage: fc.integer({ min: 1, max: 7 }),
  bisectBatchOnFunctionError: fc.boolean(),
  maximumRetryAttempts: fc.integer({ min: -1, max: 3 }),
  stopsAfter: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 2 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;

// The numbers grow from 20 digits to 21, so that neither strings nor doubles put them in order.
const first = 99_999_999_999_999_999_995n;
const shardOf = (event: DynamoDBStreamEvent) => event.Records[0]?.dynamodb?.Keys?.pk?.S ?? '';

/** A world with one stream and a function that fails as told and notes what is settled. */
async function world({ shards, lineage, recordsPerPage }: Scenario) {
  const fake = await fakeStreams({ recordsPerPage });
  const faults = new Map<string, RecordFaults>();
  const settled = new Map<string, string[]>();
  const expected = new Map<string, string[]>();
  shards.forEach((records, index) => {
    const id = `shard-${index}`;
    const numbers = records.map((_faults, at) => String(first + BigInt(index * 100 + at)));
    fake.shard(id, lineage && index > 0 ? { parent: `shard-${index - 1}` } : {});
    fake.put(id, ...numbers.map((number) => streamRecord(number, id)));
    if (lineage && index < shards.length - 1) fake.close(id);
    for (const [at, number] of numbers.entries()) faults.set(number, [...(records[at] ?? [])]);
    expected.set(id, numbers);
    settled.set(id, []);
  });

  function answerTo(event: DynamoDBStreamEvent) {
    const numbers = numbersOf(event);
    const at = numbers.findIndex((number) => faults.get(number)?.length);
    const fault = at < 0 ? undefined : faults.get(numbers[at] ?? '')?.shift();
    if (fault === 'throw') throw new Error('as told');
    if (fault === 'wrong') return { batchItemFailures: [{ itemIdentifier: '' }] };
    settled.get(shardOf(event))?.push(...(fault ? numbers.slice(0, at) : numbers));
    const failed = fault ? numbers.slice(at).reverse() : [];
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  }

  return { fake, settled, expected, answerTo };
}

async function holds(plan: Scenario) {
  const { fake, settled, expected, answerTo } = await world(plan);
  const checkpoints = mkdtempSync(join(tmpdir(), 'mapping-'));
  const streams = streamsClient(fake.port);
  const wrong: string[] = [];
  let calls = 0;
  let onCall = () => {};

  /** The checkpoint stands exactly at the last settled record, and parents are settled before their children. */
  function check(shardId: string) {
    const last = settled.get(shardId)?.at(-1);
    const saved = checkpointOf(checkpoints, shardId);
    if (saved !== last) wrong.push(`${shardId} is settled to ${last}, its checkpoint says ${saved}`);
    const index = Number(shardId.at(-1));
    const parent = `shard-${index - 1}`;
    if (!plan.lineage || index === 0) return;
    if (settled.get(parent)?.length !== expected.get(parent)?.length)
      wrong.push(`${shardId} before ${parent}`);
  }

  const start = () => {
    const mapping = eventSourceMapping({
      ...plan,
      name: 'project',
      streamArn,
      region: 'eu-west-1',
      streams,
      checkpoints,
      pollMilliseconds: 1,
      retryDelay: () => 0,
      invoke: async (event) => {
        check(shardOf(event));
        calls++;
        onCall();
        return answerTo(event);
      },
      onExhausted: async ({ shardId, records }) => {
        check(shardId);
        settled.get(shardId)?.push(...numbersOf({ Records: records }));
      },
    });
    mapping.start();
    return mapping;
  };

  for (const stopAfter of plan.stopsAfter) {
    const mapping = start();
    const { promise: reached, resolve } = Promise.withResolvers<void>();
    const target = calls + stopAfter;
    onCall = () => calls >= target && resolve();
    await Promise.race([reached, mapping.drained()]);
    await mapping.stop();
  }
  const mapping = start();
  await mapping.drained();
  for (const shardId of expected.keys()) check(shardId);
  await mapping.stop();
  streams.destroy();
  await fake.shut();
  rmSync(checkpoints, { recursive: true });
  expect(wrong).toEqual([]);
  expect(settled).toEqual(expected);
}

test('whatever fails, every record is settled once, in its order, and no checkpoint passes an unsettled one', async () => {
  await fc.assert(fc.asyncProperty(scenario, holds), { numRuns: 60 });
}, 120_000);
