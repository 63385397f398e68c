/** A stream batch in, sinks side by side, the answer out. */
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { readConfig } from '../config.ts';
import { type Connections, connect } from '../connections.ts';
import { parkRecords } from '../deliveries/park.ts';
import type { Change } from '../table/change.ts';
import type { Decoded, StreamRecord } from '../table/decode.ts';
import type { Store } from '../table/store.ts';
import type { App } from './app.ts';
import { recordsOf } from './batch.ts';
import { type Delivered, deliver } from './deliver.ts';
import { report } from './report.ts';
import type { Sink, SinkKind } from './sink.ts';
import { summaryOf } from './summary.ts';

export type StreamHandler = (event: DynamoDBStreamEvent) => Promise<DynamoDBBatchResponse>;

/** Two readers share the stream: `project` takes views and log, `notify` the acts. A stream serves no more. */
const readers = { project: ['view', 'log'], notify: ['act'] } as const satisfies Record<
  string,
  readonly SinkKind[]
>;

export type Reader = keyof typeof readers;

/** The handler of one reader, on the environment's configuration: connected at the first batch, then kept. */
export function streamHandler(app: App, reader: Reader): StreamHandler {
  let handler: StreamHandler | undefined;
  return async function handleBatch(event) {
    handler ??= openStream(app, reader, connect(readConfig(process.env)));
    return handler(event);
  };
}

export function openStream(app: App, reader: Reader, connections: Connections): StreamHandler {
  const sinks = openSinks(app, reader, connections);
  return async function handleBatch(event) {
    const records: StreamRecord[] = recordsOf(event);
    const decoded = records.map((record) => decodeSafely(app, record));
    const parked = decoded.flatMap((entry, index) =>
      entry.verdict === 'parked' ? [{ index, record: records[index] ?? {}, reason: entry.reason }] : [],
    );
    const [delivered, parkings] = await Promise.all([
      Promise.all(sinks.map((sink) => deliver(sink, changesFor(sink, decoded)))),
      parkRecords(connections, parked),
    ]);
    const unparked = parked
      .filter((_, index) => parkings[index]?.state === 'failed')
      .map(({ index }) => index);
    report(connections.log, summaryOf(reader, decoded, sinks, delivered));
    return answer(records, [...unparked, ...failedPositions(decoded, delivered)]);
  };
}

export function storeOf(app: App, connections: Connections): Store {
  const { dynamodb, config, now } = connections;
  return { dynamodb, table: app.table, tableName: config.SLUICE_TABLE, now };
}

function openSinks(app: App, reader: Reader, connections: Connections): Sink[] {
  const context = { connections, store: storeOf(app, connections) };
  const kinds: readonly SinkKind[] = readers[reader];
  return app.sinks.flatMap((factory) => factory(context) ?? []).filter(({ kind }) => kinds.includes(kind));
}

function decodeSafely(app: App, record: StreamRecord): Decoded {
  try {
    return app.decode(record);
  } catch (error) {
    return {
      verdict: 'parked',
      reason: `decoding failed: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

function changesFor(sink: Sink, decoded: readonly Decoded[]): Change[] {
  return decoded.flatMap((entry) => {
    if (entry.verdict === 'change') return [entry.change];
    return entry.verdict === 'parked' && entry.change !== undefined && sink.readsMisfits
      ? [entry.change]
      : [];
  });
}

function failedPositions(decoded: readonly Decoded[], delivered: readonly Delivered[]): number[] {
  const failed = new Set(delivered.flatMap(({ failures }) => failures.map(({ change }) => change)));
  return decoded.flatMap((entry, index) =>
    'change' in entry && entry.change && failed.has(entry.change) ? [index] : [],
  );
}

/** Lambda takes everything again from the lowest sequence number on; a batch is in that order. */
function answer(records: readonly StreamRecord[], positions: readonly number[]): DynamoDBBatchResponse {
  if (positions.length === 0) return { batchItemFailures: [] };
  const first = records[Math.min(...positions)]?.dynamodb?.SequenceNumber;
  // Without a sequence number there is no position to go back to: the whole batch is taken again.
  return { batchItemFailures: [{ itemIdentifier: first ?? '' }] };
}
