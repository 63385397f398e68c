/** A record that could not be read is tried once more: by now the code may know better. */
import type { DynamoDBStreamEvent } from 'aws-lambda';
import type { Connections } from '../connections.ts';
import type { App } from '../pipeline/app.ts';
import { readEntry } from '../pipeline/batch.ts';
import { decodeSafely, openSinks, openStream, storeOf } from '../pipeline/stream.ts';
import type { ParkedDelivery } from './list.ts';
import { readParked } from './records.ts';
import { rowsUnder } from './rowsUnder.ts';

const readers = ['project', 'notify'] as const;

/**
 * Why it cannot be taken yet, or nothing where it has arrived; its acts are late. `wanted`: the sinks that must have
 * it. One that is off here would be passed over in silence, and the record would be gone.
 */
export async function redriveRecord(
  app: App,
  connections: Connections,
  { item: eventId, change: sk }: ParkedDelivery,
  wanted: readonly string[],
): Promise<string | undefined> {
  const on = new Set(sinksHere(app, connections));
  const off = wanted.filter((name) => !on.has(name));
  if (off.length > 0)
    return `off here: ${off.join(', ')}. Name the endpoint, or say --without where the deployment has none either`;
  const rows = readParked(await rowsUnder(connections, `record/${eventId}`));
  const parked = rows.find((row) => row.sk === sk);
  if (parked?.record === undefined) return 'it is not there any more, or a part of it is gone';
  const decoded = decodeSafely(app, readEntry(parked.record));
  if (decoded.verdict === 'parked') return decoded.reason;
  // By what this code knows it is nobody's; it was ours when it was parked.
  if (decoded.verdict === 'ignored') return `it would be ignored: ${decoded.reason}`;
  for (const reader of readers) {
    const event = { Records: [parked.record] } as DynamoDBStreamEvent;
    const { batchItemFailures } = await openStream(app, reader, connections, { late: true })(event);
    if (batchItemFailures.length > 0) return `${reader} could neither deliver nor park it`;
  }
  return undefined;
}

function sinksHere(app: App, connections: Connections): string[] {
  const context = { connections, store: storeOf(app, connections), replay: false, late: true };
  return readers.flatMap((reader) => openSinks(app.sinks, reader, context).map(({ name }) => name));
}
