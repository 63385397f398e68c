/** Parking: what cannot go on is set aside whole, in the deliveries table, so that the stream moves on. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Connections } from '../connections.ts';
import { chunk } from '../pipeline/chunk.ts';
import { changeIn } from '../pipeline/kinesis.ts';
import { canonicalJson, hash } from '../table/canonical.ts';
import type { Fields } from '../table/entity.ts';
import type { Row, RowAnswer } from '../table/putAbsent.ts';
import { timeOf } from '../table/record.ts';
import { gather, putSpread, rowLimits, shortened, spreadSize } from '../table/rowSize.ts';
import { jsonOf } from './json.ts';

/** What came in a batch and is ours but undecodable or invalid: refused, it holds nobody and waits for a person. */
export type ParkedRecord = { record: unknown; reason: string };

/** A parked record as it is read: without `record` only where a part of it is gone. */
export type ParkedRow = Row & { state: 'refused'; reason: string; record?: unknown };

const recordPrefix = 'record/';

/** Parks each record once, however often it comes. One answer per record, in order. */
export async function parkRecords(
  { dynamodb, config }: Connections,
  parked: readonly ParkedRecord[],
): Promise<RowAnswer[]> {
  const rows = parked.map(rowOf);
  const distinct = [...new Map(rows.map((row) => [keyOf(row), row])).values()];
  const answers = new Map<string, RowAnswer>();
  for (const part of chunk(distinct, rowLimits, spreadSize)) {
    const settled = await putSpread(dynamodb, config.SLUICE_DELIVERIES_TABLE, part, 'record');
    for (const [index, row] of part.entries()) answers.set(keyOf(row), settled[index] ?? unanswered);
  }
  return rows.map((row) => answers.get(keyOf(row)) ?? unanswered);
}

const unanswered: RowAnswer = { state: 'failed', reason: 'no answer', retryable: true };

function keyOf({ pk, sk }: Row): string {
  return `${pk} ${sk}`;
}

function rowOf({ record, reason }: ParkedRecord): Row {
  const text = jsonOf(record);
  const content = hash(contentOf(record) ?? text);
  const { eventID } = Object(record) as { eventID?: unknown };
  return {
    pk: `${recordPrefix}${typeof eventID === 'string' && eventID !== '' ? keyText(eventID) : content}`,
    sk: content, // should two records ever claim one event id, both are kept
    hash: content,
    state: 'refused',
    reason: shortened(reason),
    ...keysIn(record),
    recordedAt: recordedAt(record),
    record: new Uint8Array(gzipSync(text)),
  };
}

/** The keys of its item, for whoever is to mend that; nothing where they cannot be told. */
function keysIn(record: unknown): { keys?: string } {
  const { dynamodb } = Object(record) as { dynamodb?: unknown };
  const { Keys } = Object(dynamodb) as { Keys?: unknown };
  const values = Object.values(Object(Keys) as object).map(
    (value) => Object.values(Object(value) as object)[0],
  );
  if (values.length === 0 || !values.every((value) => typeof value === 'string')) return {};
  return { keys: shortened(values.join(' ')) };
}

/**
 * What tells a record from others, whoever reads it: two readers may be given one with its members in another order,
 * and Lambda puts a record of Kinesis into an envelope that names the function's own role. None where it is too deep.
 */
function contentOf(record: unknown): string | undefined {
  const kinesis = kinesisOf(record);
  try {
    return canonicalJson(
      kinesis === undefined ? record : { data: kinesis.data, sequenceNumber: kinesis.sequenceNumber },
    );
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

type Kinesis = { data?: unknown; sequenceNumber?: unknown; approximateArrivalTimestamp?: unknown };

function kinesisOf(record: unknown): Kinesis | undefined {
  const { kinesis } = Object(record) as { kinesis?: unknown };
  return typeof kinesis === 'object' && kinesis !== null ? kinesis : undefined;
}

/** Epoch seconds; of a Kinesis record those of the change in it, else when it came there. */
function recordedAt(record: unknown): number {
  const kinesis = kinesisOf(record);
  if (kinesis === undefined) return timeOf(Object(record)) / 1000;
  const change = changeIn(kinesis.data);
  const changed = 'missing' in change ? 0 : timeOf(change) / 1000;
  const { approximateArrivalTimestamp: arrived } = kinesis;
  // Beyond that it is no time, and perhaps no number that DynamoDB takes.
  return changed || (typeof arrived === 'number' && arrived > 0 && arrived < 9e9 ? arrived : 0);
}

/** A key of DynamoDB holds 2,048 bytes, and no half of a surrogate pair. */
function keyText(text: string): string {
  return Buffer.byteLength(text) <= 400 ? text.toWellFormed() : hash(text);
}

/** What lies in the deliveries table, each record whole again. */
export function readParked(rows: readonly Fields[]): ParkedRow[] {
  const records = rows.filter(({ pk }) => String(pk).startsWith(recordPrefix));
  return gather(records, 'record').map(({ record, ...row }) => ({
    ...(row as ParkedRow),
    ...(record instanceof Uint8Array && { record: JSON.parse(gunzipSync(record).toString()) }),
  }));
}
