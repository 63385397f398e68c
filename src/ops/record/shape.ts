/** A stream's record as Lambda sends it, also where a stand-in for DynamoDB numbers and names things its own way. */
import { createHash } from 'node:crypto';
import type { _Record } from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';
import { lambdaRecord } from '../../local/mapping/record.ts';
import type { Source } from './source.ts';

/** `hideAccount`: the account in the stream's ARN becomes 000000000000. */
export function asLambdaSends(
  record: _Record,
  source: Pick<Source, 'aws' | 'region' | 'streamArn' | 'table' | 'created'>,
  hideAccount: boolean,
): DynamoDBRecord {
  const { region } = source;
  const streamArn = hideAccount ? neutralArn(source) : source.streamArn;
  const delivered = lambdaRecord(record, { region, streamArn });
  const { eventID = '', dynamodb = {} } = delivered;
  const { SequenceNumber = '' } = dynamodb;
  return {
    ...delivered,
    eventID: /^[0-9a-f]{32}$/.test(eventID) ? eventID : digest(`${source.streamArn} ${eventID}`),
    dynamodb: { ...sorted(dynamodb), SequenceNumber: long(SequenceNumber) },
  };
}

/** A recording's text: the event as Lambda sends it. */
export function recordingText(records: readonly DynamoDBRecord[]): string {
  return `${JSON.stringify({ Records: records }, null, 2)}\n`;
}

function neutralArn({ region, table, streamArn, created }: Parameters<typeof asLambdaSends>[1]): string {
  const label = /\/stream\/(\d{4}-\d\d-\d\dT[\d:.]+)$/.exec(streamArn)?.[1];
  const made = created.toISOString().replace('Z', '');
  return `arn:aws:dynamodb:${region}:000000000000:table/${table}/stream/${label ?? made}`;
}

/** AWS's have 21 to 40 digits (StreamRecord in the API reference); a stand-in may count from 1. */
function long(sequenceNumber: string): string {
  return sequenceNumber.length >= 21 ? sequenceNumber : `1${sequenceNumber.padStart(20, '0')}`;
}

function digest(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/** Attributes have no order; with one, two recordings can be compared line by line. */
function sorted(image: NonNullable<DynamoDBRecord['dynamodb']>): NonNullable<DynamoDBRecord['dynamodb']> {
  const inOrder = (_name: string, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value;
  return JSON.parse(JSON.stringify(image, inOrder));
}
