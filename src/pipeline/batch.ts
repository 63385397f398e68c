/**
 * What Lambda delivers: a batch of a DynamoDB stream, or of a Kinesis stream to which DynamoDB writes its changes.
 * Anything else is refused whole, since guessing is how data is lost; in a batch, what is no record is kept as it is.
 */
import type { StreamRecord } from '../table/record.ts';
import { describeForeign } from './foreign.ts';
import { changeIn } from './kinesis.ts';

export type Entry = {
  /** As it came: what is parked where no record can be read from it. */
  raw: unknown;
  /** The change record in it, or why there is none. */
  record: StreamRecord | { missing: string };
  /** The sequence number that Lambda goes back to; of a Kinesis batch that is Kinesis' own. */
  position: string | undefined;
};

/** Thrown for what is no batch; the message names what it is. */
export class ForeignEvent extends Error {
  override name = 'ForeignEvent';
  constructor(event: unknown) {
    super(`This is no batch of a DynamoDB stream: it looks like ${describeForeign(event)}.`);
  }
}

export function readBatch(event: unknown): Entry[] {
  const { Records } = Object(event) as { Records?: unknown };
  if (!Array.isArray(Records)) throw new ForeignEvent(event);
  if (Records.length > 0 && !Records.some(isStreamRecord)) throw new ForeignEvent(event);
  return Records.map(readEntry);
}

export function isStreamRecord(value: unknown): boolean {
  return isFromStream(value) || isFromKinesis(value);
}

/** One record of a batch, whatever it is. */
export function readEntry(raw: unknown): Entry {
  const { kinesis, dynamodb } = Object(raw) as { kinesis?: unknown; dynamodb?: unknown };
  if (isFromKinesis(raw)) {
    const { data, sequenceNumber } = Object(kinesis) as { data?: unknown; sequenceNumber?: unknown };
    return { raw, record: changeIn(data), position: textOf(sequenceNumber) };
  }
  if (!isFromStream(raw)) return { raw, record: { missing: 'it is no stream record' }, position: undefined };
  const { SequenceNumber } = Object(dynamodb) as { SequenceNumber?: unknown };
  return { raw, record: raw as StreamRecord, position: textOf(SequenceNumber) };
}

export function isFromStream(value: unknown): boolean {
  const { eventSource, dynamodb } = Object(value) as { eventSource?: unknown; dynamodb?: unknown };
  return eventSource === 'aws:dynamodb' || isObject(dynamodb);
}

function isFromKinesis(value: unknown): boolean {
  const { eventSource, kinesis } = Object(value) as { eventSource?: unknown; kinesis?: unknown };
  return eventSource === 'aws:kinesis' || isObject(kinesis);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
