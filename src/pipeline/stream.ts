/** A stream batch in, sinks side by side, the answer out. */
import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent, KinesisStreamEvent } from 'aws-lambda';
import { type Config, readConfig } from '../config.ts';
import { type Connections, connect } from '../connections.ts';
import { heldItems } from '../deliveries/holds.ts';
import { type Form, parkDeliveries } from '../deliveries/park.ts';
import { type ParkedRecord, parkRecords } from '../deliveries/records.ts';
import { openSwitches, switchOn } from '../deliveries/switches.ts';
import { type Right, rights } from '../rights.ts';
import { isAdoptable } from '../table/adopt.ts';
import type { RowAnswer } from '../table/putAbsent.ts';
import type { Decoded } from '../table/record.ts';
import type { Store } from '../table/store.ts';
import { adoption } from './adoption.ts';
import type { App } from './app.ts';
import { type Entry, readBatch } from './batch.ts';
import { type Guard, openGuard } from './breaker.ts';
import {
  type Deliveries,
  deliverOrPark,
  type Position,
  type Positioned,
  type SinkOutcome,
} from './reader.ts';
import { type BatchReport, countBatch, report } from './report.ts';
import type { Sink, SinkContext, SinkFactory, SinkKind } from './sink.ts';
import { summaryOf } from './summary.ts';

/** Lambda's answer has one form for both kinds of stream. */
export type StreamHandler = (
  event: DynamoDBStreamEvent | KinesisStreamEvent,
  context?: Pick<Context, 'getRemainingTimeInMillis'>,
) => Promise<DynamoDBBatchResponse>;

/** Two readers share the stream: `project` takes views and log, `notify` the acts. A stream serves no more. */
const readers = { project: ['view', 'log'], notify: ['act'] } as const satisfies Record<
  string,
  readonly SinkKind[]
>;

export type Reader = keyof typeof readers;

/** What a reader calls besides its sinks: switches and holds are read, and what fails is parked. */
export const streamRights: readonly Right[] = rights(
  'deliveries',
  'dynamodb:BatchGetItem',
  'dynamodb:GetItem',
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
);

/** The handler of one reader, on the environment's configuration: connected at the first batch, then kept. */
export function streamHandler(app: App, reader: Reader): StreamHandler {
  let handler: StreamHandler | undefined;
  return async function handleBatch(event, context) {
    handler ??= openStream(app, reader, connect(readConfig(process.env)));
    return handler(event, context);
  };
}

/** `replay`: a person has asked for all of it again; `late`: others have passed it. Whoever gets it is told so. */
export type Marks = { replay?: boolean; late?: boolean };

export function openStream(
  app: App,
  reader: Reader,
  connections: Connections,
  { replay = false, late = false }: Marks = {},
): StreamHandler {
  const context = { connections, store: storeOf(app, connections), replay, late };
  // A replay shows what was; what others have written since is adopted by what the stream shows of it.
  const sinks = openSinks(replay ? app.sinks : [adoption, ...app.sinks], reader, context);
  const guards = new Map(sinks.map(({ name }) => [name, openGuard()]));
  const positions = openPositions(connections, sinks, replay);
  return async function handleBatch(event, lambda) {
    const entries = readBatch(event);
    const { answer, summary } = await takeBatch(
      {
        app,
        reader,
        sinks,
        guardOf: ({ name }) => guards.get(name) ?? openGuard(),
        positionOf: positions,
        deadline: () => connections.deadline(timeFor(connections.config, lambda)),
        deliveries: deliveriesOf(connections, entries, { replay, late }),
        park: (records) => parkRecords(connections, records),
      },
      entries,
    );
    report(connections.log, summary);
    const open = sinks.filter(({ name }) => guards.get(name)?.isOpen());
    countBatch(connections.metrics, summary, open);
    return answer;
  };
}

/** What is left of the invocation when the sinks must be done, milliseconds: parking takes its time too. */
const marginMilliseconds = 5_000;

function timeFor(config: Config, lambda: Pick<Context, 'getRemainingTimeInMillis'> | undefined): number {
  const remaining = lambda?.getRemainingTimeInMillis?.() ?? Number.POSITIVE_INFINITY;
  return Math.max(0, Math.min(Number(config.SLUICE_SINK_SECONDS) * 1_000, remaining - marginMilliseconds));
}

function deliveriesOf(
  connections: Connections,
  entries: readonly Entry[],
  marks: Required<Marks>,
): Deliveries {
  return {
    held: (sink, items, signal) => heldItems(connections, sink, items, signal),
    async park(sink, failures) {
      // Whoever replays is told at once what is refused, and decides; it must not wait for another person.
      const kept = failures.filter(({ state }) => !marks.replay || state === 'waiting');
      const parkings = kept.map(({ index, ...failure }) => {
        const { raw, position } = entries[index] ?? { raw: undefined, position: undefined };
        return { ...failure, ...marks, raw, position };
      });
      const parked = await parkDeliveries(connections, formOf(sink), parkings);
      return failures.map((failure) => parked[kept.indexOf(failure)] ?? true);
    },
  };
}

function formOf({ name, kind, recover }: Sink): Form {
  return { name, kind, byItem: recover !== undefined };
}

/** As long may the first batch take to come: what was written meanwhile is not of yesterday. */
const startMilliseconds = 5 * 60_000;

/** Whether each sink is paused, and since when it acts; nothing where that could not be read. */
function openPositions(connections: Connections, sinks: readonly Sink[], asked: boolean) {
  const { config, now } = connections;
  const switches = openSwitches(
    connections,
    sinks.map(({ name }) => name),
  );
  const first =
    config.SLUICE_SINCE === undefined ? now() - startMilliseconds : Date.parse(config.SLUICE_SINCE);
  // What a person asks for again is asked for whenever it happened.
  const isAct = ({ kind }: Sink) => kind === 'act' && !asked;
  return async function positionOf(sink: Sink): Promise<Position | undefined> {
    try {
      const { paused = false, since } = (await switches.read()).get(sink.name) ?? {};
      if (!isAct(sink)) return { paused, since: 0 };
      if (since !== undefined) return { paused, since };
      switches.forget();
      // A record's time is rounded down to the second.
      return { paused, since: await switchOn(connections, sink.name, Math.floor(first / 1000) * 1000) };
    } catch {
      return undefined;
    }
  };
}

type Parts = {
  app: App;
  reader: Reader;
  sinks: readonly Sink[];
  guardOf(sink: Sink): Guard;
  positionOf(sink: Sink): Promise<Position | undefined>;
  /** Aborts when the time of a sink that begins now is up. */
  deadline(): AbortSignal;
  deliveries: Deliveries;
  park(records: readonly ParkedRecord[]): Promise<readonly RowAnswer[]>;
};

/** What all of it comes to is decided here, whatever the sinks and the parking are. */
export async function takeBatch(
  parts: Parts,
  entries: readonly Entry[],
): Promise<{ answer: DynamoDBBatchResponse; summary: BatchReport }> {
  const { app, reader, park } = parts;
  const decoded = entries.map((entry) => decodeSafely(app, entry));
  const parked = decoded.flatMap((entry, index) =>
    entry.verdict === 'parked' ? [{ index, record: entries[index]?.raw, reason: entry.reason }] : [],
  );
  // Few batches hold anything to adopt; of the others nothing is said of it.
  const sinks = parts.sinks.filter(({ name }) => name !== 'adoption' || decoded.some(isAdopted));
  const [outcomes, parkings] = await Promise.all([deliverAll({ ...parts, sinks }, decoded), park(parked)]);
  const unparked = parked.filter((_, index) => parkings[index]?.state === 'failed').map(({ index }) => index);
  return {
    answer: answerOf(entries, [...unparked, ...outcomes.flatMap(({ lost }) => lost)]),
    summary: summaryOf(reader, decoded, sinks, outcomes),
  };
}

function isAdopted(entry: Decoded): boolean {
  return entry.verdict === 'change' && isAdoptable(entry.change);
}

/** Side by side; only one that names another waits for it. */
function deliverAll(parts: Parts, decoded: readonly Decoded[]): Promise<SinkOutcome[]> {
  const { sinks, guardOf, positionOf, deadline, deliveries } = parts;
  const begun: Promise<SinkOutcome>[] = [];
  for (const sink of sinks) {
    const first = begun[sinks.findIndex(({ name }) => name === sink.after)];
    const changes = changesFor(sink, decoded);
    const begin = () =>
      deliverOrPark(
        { sink, guard: guardOf(sink), deliveries, signal: deadline(), position: () => positionOf(sink) },
        changes,
      );
    begun.push(first === undefined ? begin() : first.then(begin));
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

/** What of a batch is for the sink, each with its place. */
export function changesFor(sink: Sink, decoded: readonly Decoded[]): Positioned[] {
  return decoded.flatMap((entry, index) => {
    if (entry.verdict === 'change') return [{ change: entry.change, index }];
    return entry.verdict === 'parked' && entry.change !== undefined && sink.readsMisfits
      ? [{ change: entry.change, index }]
      : [];
  });
}

/** Lambda takes everything again from the lowest sequence number on; a batch is in that order. */
function answerOf(entries: readonly Entry[], positions: readonly number[]): DynamoDBBatchResponse {
  if (positions.length === 0) return { batchItemFailures: [] };
  const first = entries[Math.min(...positions)]?.position;
  // Without a sequence number there is no position to go back to: the whole batch is taken again.
  return { batchItemFailures: [{ itemIdentifier: first ?? '' }] };
}
