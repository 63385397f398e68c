import type { DynamoDBStreamEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { streamArn, streamRecord } from './fakeStreams.ts';
import { started, startFake } from './harness.ts';

const bytes = Buffer.from([0, 1, 254, 255]).toString('base64');

async function delivered(...records: Record<string, unknown>[]): Promise<DynamoDBStreamEvent[]> {
  const fake = await startFake();
  fake.shard('shard-1');
  fake.put('shard-1', ...records);
  const events: DynamoDBStreamEvent[] = [];
  const mapping = started(fake, (event) => void events.push(event));
  await mapping.drained();
  return events;
}

test('a record arrives exactly as Lambda delivers it', async () => {
  const image = {
    bytes: { B: bytes },
    sets: { M: { bytes: { BS: [bytes, ''] }, numbers: { NS: ['1', '2.5'] }, strings: { SS: ['x'] } } },
    list: { L: [{ B: bytes }, { NULL: true }, { BOOL: false }, { N: '9007199254740993' }, { L: [] }] },
  };
  const [event] = await delivered(streamRecord('100000000000000000001', 'ä', image));
  expect(event).toStrictEqual({
    Records: [
      {
        eventID: 'event-100000000000000000001',
        eventName: 'INSERT',
        eventVersion: '1.1',
        eventSource: 'aws:dynamodb',
        awsRegion: 'eu-west-1',
        dynamodb: {
          ApproximateCreationDateTime: 1_763_600_000,
          Keys: { pk: { S: 'ä' } },
          NewImage: { pk: { S: 'ä' }, ...image },
          SequenceNumber: '100000000000000000001',
          SizeBytes: 20,
          StreamViewType: 'NEW_AND_OLD_IMAGES',
        },
        eventSourceARN: streamArn,
      },
    ],
  });
});

test("a TTL expiry carries its user identity under Lambda's member names", async () => {
  const userIdentity = { PrincipalId: 'dynamodb.amazonaws.com', Type: 'Service' };
  const [event] = await delivered({ ...streamRecord('1'), eventName: 'REMOVE', userIdentity });
  expect(event?.Records[0]).toMatchObject({
    eventName: 'REMOVE',
    userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
  });
});

test('an event survives a round trip through JSON', async () => {
  const [event] = await delivered(streamRecord('1', 'a', { bytes: { B: bytes } }));
  expect(JSON.parse(JSON.stringify(event))).toStrictEqual(event);
});

test('a handler that changes its event changes neither the retry nor what the observer sees', async () => {
  const fake = await startFake();
  fake.shard('shard-1');
  fake.put('shard-1', streamRecord('1'));
  const seen: (string | undefined)[] = [];
  const answer = (event: DynamoDBStreamEvent, call: number) => {
    seen.push(event.Records[0]?.eventID);
    for (const record of event.Records) record.eventID = 'changed';
    if (call === 1) throw new Error('once more');
  };
  const observed: (string | undefined)[] = [];
  const mapping = started(fake, answer, {
    onInvocation: ({ event }) => observed.push(event.Records[0]?.eventID),
  });
  await mapping.drained();
  expect(seen).toEqual(['event-1', 'event-1']);
  expect(observed).toEqual(['event-1', 'event-1']);
});
