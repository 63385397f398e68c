/** A record that could not be read is tried once more: by now the code may know better. */
import type { DynamoDBStreamEvent } from 'aws-lambda';
import type { Connections } from '../connections.ts';
import type { App } from '../pipeline/app.ts';
import { readEntry } from '../pipeline/batch.ts';
import { decodeSafely, openStream } from '../pipeline/stream.ts';
import type { ParkedDelivery } from './list.ts';
import { readParked } from './records.ts';
import { rowsUnder } from './rowsUnder.ts';

/** Why it still cannot be read, or nothing where it has arrived; its acts are late. */
export async function redriveRecord(
  app: App,
  connections: Connections,
  { item: eventId, change: sk }: ParkedDelivery,
): Promise<string | undefined> {
  const rows = readParked(await rowsUnder(connections, `record/${eventId}`));
  const parked = rows.find((row) => row.sk === sk);
  if (parked?.record === undefined) return 'it is not there any more, or a part of it is gone';
  const decoded = decodeSafely(app, readEntry(parked.record));
  if (decoded.verdict === 'parked') return decoded.reason;
  // By what this code knows it is nobody's; it was ours when it was parked.
  if (decoded.verdict === 'ignored') return `it would be ignored: ${decoded.reason}`;
  for (const reader of ['project', 'notify'] as const) {
    const event = { Records: [parked.record] } as DynamoDBStreamEvent;
    const { batchItemFailures } = await openStream(app, reader, connections, { late: true })(event);
    if (batchItemFailures.length > 0) return `${reader} could neither deliver nor park it`;
  }
  return undefined;
}
