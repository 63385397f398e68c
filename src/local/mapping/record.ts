import type { _Record } from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';

/** A record on its way: as the text that Lambda would send, so that nobody shares objects with the mapping. */
export type Entry = {
  text: string;
  bytes: number;
  sequenceNumber: string;
  /** Where the checkpoint stands once this record is done: past the filtered ones that follow it, too. */
  through: string;
};

export function lambdaRecord(record: _Record, source: { region: string; streamArn: string }): DynamoDBRecord {
  const { ApproximateCreationDateTime: created, ...image } = record.dynamodb ?? {};
  const { userIdentity } = record;
  // The stream names these members PrincipalId and Type, Lambda's event in lower case.
  const identity = { type: userIdentity?.Type, principalId: userIdentity?.PrincipalId };
  const delivered = {
    eventID: record.eventID,
    eventName: record.eventName,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: source.region,
    // "Rounded down to the closest second" (StreamRecord in the API reference).
    dynamodb: { ApproximateCreationDateTime: created && Math.floor(created.getTime() / 1000), ...image },
    eventSourceARN: source.streamArn,
    ...(userIdentity && { userIdentity: identity }),
  };
  return JSON.parse(JSON.stringify(delivered, base64));
}

export function entryOf(record: DynamoDBRecord): Entry {
  const sequenceNumber = record.dynamodb?.SequenceNumber;
  if (sequenceNumber === undefined) throw new Error(`record ${record.eventID} has no sequence number`);
  const text = JSON.stringify(record);
  return { text, bytes: Buffer.byteLength(text), sequenceNumber, through: sequenceNumber };
}

/** The only bytes in a record are the values of B and BS. */
function base64(_member: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}
