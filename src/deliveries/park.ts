/** Parking: what cannot go on is set aside whole, in the deliveries table, so that the stream moves on. */
import { gzipSync } from 'node:zlib';
import type { Connections } from '../connections.ts';
import { canonicalJson, hash } from '../table/canonical.ts';
import type { StreamRecord } from '../table/decode.ts';
import { putAbsent, type Row, type RowAnswer } from '../table/putAbsent.ts';

/** A record that is ours but undecodable or invalid: refused, so it holds nobody and waits for a person. */
export type ParkedRecord = { record: StreamRecord; reason: string };

/** Parks each record once, however often it comes. One answer per record, in order. */
export async function parkRecords(
  connections: Connections,
  parked: readonly ParkedRecord[],
): Promise<RowAnswer[]> {
  const rows = parked.map(rowOf);
  const distinct = [...new Map(rows.map((row) => [row.pk, row])).values()];
  const answers = new Map<string, RowAnswer>();
  for (let start = 0; start < distinct.length; start += 25) {
    const part = distinct.slice(start, start + 25);
    const settled = await putAbsent(connections.dynamodb, connections.config.SLUICE_DELIVERIES_TABLE, part);
    settled.forEach((answer, index) => {
      answers.set(part[index]?.pk ?? '', answer);
    });
  }
  return rows.map((row) => answers.get(row.pk) ?? { state: 'failed', reason: 'no answer', retryable: true });
}

function rowOf({ record, reason }: ParkedRecord): Row {
  const content = hash(canonicalJson(record));
  return {
    pk: `record/${record.eventID ?? content}`,
    sk: 'record',
    hash: content,
    state: 'refused',
    reason,
    recordedAt: record.dynamodb?.ApproximateCreationDateTime ?? 0,
    record: new Uint8Array(gzipSync(JSON.stringify(record))),
  };
}
