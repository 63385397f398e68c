/** Stream records as Lambda delivers them, made from the images of items. */
import { createHash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { app } from '../../src/app.ts';
import { encodeItem } from '../../src/table/attributes.ts';
import type { Fields } from '../../src/table/entity.ts';

type Images = { before?: Fields | undefined; after?: Fields | undefined };
type Extra = {
  seconds?: number;
  sequenceNumber?: string;
  userIdentity?: { type: string; principalId: string };
};

let sequence = 100000000000000000000n;

/** The record of one change of an item; fields are plain values, keys included. */
export function recordOf({ before, after }: Images, extra: Extra = {}): DynamoDBRecord {
  const item = after ?? before ?? {};
  const { pk, sk } = app.table;
  const sequenceNumber = extra.sequenceNumber ?? String(++sequence);
  const seconds = extra.seconds ?? 1_800_000_000;
  const record = {
    eventID: createHash('md5').update(sequenceNumber).digest('hex'),
    eventName: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'eu-central-1',
    eventSourceARN:
      'arn:aws:dynamodb:eu-central-1:000000000000:table/sluice-shop/stream/2026-11-20T00:00:00.000',
    dynamodb: {
      ApproximateCreationDateTime: seconds,
      Keys: encodeItem({ [pk]: item[pk], [sk]: item[sk] }),
      ...(before && { OldImage: encodeItem(before) }),
      ...(after && { NewImage: encodeItem(after) }),
      SequenceNumber: sequenceNumber,
      SizeBytes: 100,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
    ...(extra.userIdentity && { userIdentity: extra.userIdentity }),
  };
  return JSON.parse(JSON.stringify(record, binaryAsText));
}

export function eventOf(...records: DynamoDBRecord[]): DynamoDBStreamEvent {
  return { Records: records };
}

/** On Lambda binary is base64 text. */
function binaryAsText(_name: string, value: unknown): unknown {
  const { B, BS } = Object(value) as AttributeValue;
  if (B instanceof Uint8Array) return { B: Buffer.from(B).toString('base64') };
  if (Array.isArray(BS)) return { BS: BS.map((member) => Buffer.from(member).toString('base64')) };
  return value;
}
