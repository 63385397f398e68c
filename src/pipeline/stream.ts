/** A stream batch in, sinks side by side, the answer out. */
import type { DynamoDBBatchResponse, DynamoDBStreamEvent, KinesisStreamEvent } from 'aws-lambda';
import { readConfig } from '../config.ts';
import { type Connections, connect } from '../connections.ts';
import { type ParkedRecord, parkRecords } from '../deliveries/park.ts';
import { isAdoptable } from '../table/adopt.ts';
import type { Change } from '../table/change.ts';
import type { RowAnswer } from '../table/putAbsent.ts';
import type { Decoded } from '../table/record.ts';
import type { Store } from '../table/store.ts';
import { adoption } from './adoption.ts';
import type { App } from './app.ts';
import { type Entry, readBatch } from './batch.ts';
import { type Delivered, deliver } from './deliver.ts';
import { type BatchReport, report } from './report.ts';
import type { Sink, SinkContext, SinkFactory, SinkKind } from './sink.ts';
import { summaryOf } from './summary.ts';

/** Lambda's answer has one form for both kinds of stream. */
export type StreamHandler = (
  event: DynamoDBStreamEvent | KinesisStreamEvent,
) => Promise<DynamoDBBatchResponse>;

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

/** `replay`: a person has asked for all of it again, and whoever gets it is told so. */
export function openStream(
  app: App,
  reader: Reader,
  connections: Connections,
  { replay = false }: { replay?: boolean } = {},
): StreamHandler {
  const context = { connections, store: storeOf(app, connections), replay };
  const sinks = openSinks([adoption, ...app.sinks], reader, context);
  const park = (records: readonly ParkedRecord[]) => parkRecords(connections, records);
  return async function handleBatch(event) {
    const { answer, summary } = await takeBatch({ app, reader, sinks, park }, readBatch(event));
    report(connections.log, summary);
    return answer;
  };
}

type Parts = {
  app: App;
  reader: Reader;
  sinks: readonly Sink[];
  park(records: readonly ParkedRecord[]): Promise<readonly RowAnswer[]>;
};

/** What all of it comes to is decided here, whatever the sinks and the parking are. */
export async function takeBatch(
  { app, reader, sinks: all, park }: Parts,
  entries: readonly Entry[],
): Promise<{ answer: DynamoDBBatchResponse; summary: BatchReport }> {
  const decoded = entries.map((entry) => decodeSafely(app, entry));
  const parked = decoded.flatMap((entry, index) =>
    entry.verdict === 'parked' ? [{ index, record: entries[index]?.raw, reason: entry.reason }] : [],
  );
  // Few batches hold anything to adopt; of the others nothing is said of it.
  const sinks = all.filter(({ name }) => name !== 'adoption' || decoded.some(isAdopted));
  const [delivered, parkings] = await Promise.all([deliverAll(sinks, decoded), park(parked)]);
  const unparked = parked.filter((_, index) => parkings[index]?.state === 'failed').map(({ index }) => index);
  return {
    answer: answerOf(entries, [...unparked, ...failedPositions(decoded, delivered)]),
    summary: summaryOf(reader, decoded, sinks, delivered),
  };
}

function isAdopted(entry: Decoded): boolean {
  return entry.verdict === 'change' && isAdoptable(entry.change);
}

/** Side by side; only one that names another waits for it. */
function deliverAll(sinks: readonly Sink[], decoded: readonly Decoded[]): Promise<Delivered[]> {
  const begun: Promise<Delivered>[] = [];
  for (const sink of sinks) {
    const first = begun[sinks.findIndex(({ name }) => name === sink.after)];
    const changes = changesFor(sink, decoded);
    begun.push(first === undefined ? deliver(sink, changes) : first.then(() => deliver(sink, changes)));
  }
  return Promise.all(begun);
}

export function storeOf(app: App, connections: Connections): Store {
  const { dynamodb, config } = connections;
  // Versions begin at the time: where this host's clock is wrong, the SDK has learnt by how much.
  const now = () => connections.now() + skewOf(dynamodb.config.systemClockOffset);
  return { dynamodb, table: app.table, tableName: config.SLUICE_TABLE, now };
}

/** A clock that is off by no more than this is not corrected: the SDK learns the time from replies, to the second. */
const smallSkew = 60_000;

function skewOf(learnt: number | undefined): number {
  return learnt !== undefined && Math.abs(learnt) > smallSkew ? learnt : 0;
}

/** The sinks of a reader that are switched on. */
export function openSinks(factories: readonly SinkFactory[], reader: Reader, context: SinkContext): Sink[] {
  const kinds: readonly SinkKind[] = readers[reader];
  return factories.flatMap((factory) => factory(context) ?? []).filter(({ kind }) => kinds.includes(kind));
}

export function decodeSafely(app: App, { record }: Entry): Decoded {
  if ('missing' in record) return { verdict: 'parked', reason: record.missing };
  try {
    return app.decode(record);
  } catch (error) {
    return {
      verdict: 'parked',
      reason: `decoding failed: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

export function changesFor(sink: Sink, decoded: readonly Decoded[]): Change[] {
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
function answerOf(entries: readonly Entry[], positions: readonly number[]): DynamoDBBatchResponse {
  if (positions.length === 0) return { batchItemFailures: [] };
  const first = entries[Math.min(...positions)]?.position;
  // Without a sequence number there is no position to go back to: the whole batch is taken again.
  return { batchItemFailures: [{ itemIdentifier: first ?? '' }] };
}
