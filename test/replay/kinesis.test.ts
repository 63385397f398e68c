/** One record of a Kinesis stream as two functions get it, each in an envelope of its own. */
import type { KinesisStreamEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { readParked } from '../../src/deliveries/records.ts';
import { lamp, productAt } from '../sinks/items.ts';
import { allTaken, openWorld } from '../sinks/world.ts';
import { recordOf } from '../support/records.ts';

const world = await openWorld();

let sequence = 0;

function envelopes(data: string) {
  const sequenceNumber = String(++sequence);
  return ['project', 'notify'].map((name) => ({
    eventSource: 'aws:kinesis',
    eventID: `shardId-000000000000:${sequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: `arn:aws:iam::000000000000:role/${name}`,
    eventSourceARN: `arn:aws:kinesis:eu-central-1:000000000000:stream/s/consumer/${name}`,
    kinesis: { sequenceNumber, data, approximateArrivalTimestamp: 1_800_000_003.5 },
  }));
}

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
const misfit = recordOf({ after: productAt(1, lamp('p1', { price: 'much' })) });
const milliseconds = {
  ...misfit,
  dynamodb: { ...misfit.dynamodb, ApproximateCreationDateTime: 1_800_000_001_250 },
};

test('one that came at no possible time is parked all the same', async () => {
  const [one] = envelopes(base64({ clicks: 2 }));
  const odd = { ...one, kinesis: { ...one?.kinesis, approximateArrivalTimestamp: 1e308 } };
  expect(await world.take('project', { Records: [odd] } as KinesisStreamEvent)).toEqual(allTaken);
  expect(readParked(await world.allParkedRows())).toContainEqual(
    expect.objectContaining({ record: odd, recordedAt: 0 }),
  );
});

test.each([
  ['a change that does not fit', base64(milliseconds), 1_800_000_001.25],
  ['a change without a time', base64({ ...misfit, dynamodb: { NewImage: {} } }), 1_800_000_003.5],
  ['what is no change', base64({ clicks: 1 }), 1_800_000_003.5],
])('%s is parked once by both, with its own time', async (_what, data, recordedAt) => {
  const [one, other] = envelopes(data);
  const event = (record: unknown) => ({ Records: [record] }) as KinesisStreamEvent;
  expect(await world.take('project', event(one))).toEqual(allTaken);
  expect(await world.take('notify', event(other))).toEqual(allTaken);
  const rows = readParked(await world.allParkedRows()).filter(({ pk }) => pk === `record/${one?.eventID}`);
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ record: one, recordedAt });
});
