/** What a batch would cause, computed without sending anything: no network, no clock, nothing written. */
import type { DynamoDBBatchResponse } from 'aws-lambda';
import { readConfig } from '../config.ts';
import { type Connections, connect } from '../connections.ts';
import type { App } from '../pipeline/app.ts';
import type { Entry } from '../pipeline/batch.ts';
import { openGuard } from '../pipeline/breaker.ts';
import type { Sink } from '../pipeline/sink.ts';
import { changesFor, decodeSafely, openSinks, type Reader, storeOf, takeBatch } from '../pipeline/stream.ts';
import { whatWasThrown } from '../pipeline/thrown.ts';
import type { Change } from '../table/change.ts';
import type { Decoded } from '../table/record.ts';

/** One record: what it is, and what each sink would be asked to do for it. */
export type Replayed = {
  /** Its place in the batch, from 0. */
  record: number;
  /** `parked`: ours but undecodable or invalid, set aside whole; of it only what could be read is known. */
  verdict: Decoded['verdict'];
  kind: Change['kind'] | null;
  /** Removed by its time to live. */
  expired: boolean;
  entity: string | null;
  /** The change's id. */
  id: string | null;
  version: number | null;
  /** Whether the version can be trusted. */
  exact: boolean;
  /** Why it is no change, or why its version is not exact. */
  reason: string | null;
  /** By sink: its requests as plain data, or why it could not plan. */
  plans: Record<string, unknown[] | { failed: string }>;
};

export type Replay = {
  records: Replayed[];
  /** All requests of the batch by sink. */
  plans: Record<string, unknown[]>;
  /** What each function would answer Lambda if every service took everything. */
  answer: Record<Reader, DynamoDBBatchResponse>;
};

const readers: readonly Reader[] = ['project', 'notify'];

/** Every sink of an app, none of which has anything behind it. */
export function allSinks(app: App): Sink[] {
  const connections = nowhere();
  const context = { connections, store: storeOf(app, connections), replay: false, late: false };
  return app.sinks.flatMap((factory) => factory(context) ?? []);
}

export async function planBatch(app: App, entries: readonly Entry[]): Promise<Replay> {
  const connections = nowhere();
  try {
    const context = { connections, store: storeOf(app, connections), replay: false, late: false };
    const sinks = readers.map((reader) => ({
      reader,
      sinks: openSinks(app.sinks, reader, context).map(taking),
    }));
    const all = app.sinks.flatMap((factory) => factory(context) ?? []);
    const records = entries.map((entry, index) => planRecord(app, all, entry, index));
    const answers = sinks.map(async (one) => {
      const { answer } = await takeBatch({ app, ...one, ...undisturbed }, entries);
      return [one.reader, answer] as const;
    });
    return {
      records,
      plans: Object.fromEntries(
        all.map(({ name }) => [name, records.flatMap(({ plans }) => requestsIn(plans[name]))]),
      ),
      answer: Object.fromEntries(await Promise.all(answers)) as Replay['answer'],
    };
  } finally {
    connections.dynamodb.destroy();
    connections.eventbridge.destroy();
    connections.ses.destroy();
  }
}

/** Every sink is on, and none of them has anything behind it that could be reached. */
function nowhere(): Connections {
  const endpoint = 'http://127.0.0.1:9';
  const config = readConfig({ SLUICE_SEARCH_ENDPOINT: endpoint, SLUICE_CACHE_ENDPOINT: 'memory:' });
  return { ...connect(config), now: () => 0 };
}

const taking = (sink: Sink): Sink => ({
  ...sink,
  send: async (requests) => requests.map(() => ({ state: 'applied' })),
});

/** Nothing waits, nothing is paused, and what must be parked is. */
const undisturbed = {
  guardOf: openGuard,
  positionOf: async () => ({ paused: false, since: 0 }),
  deadline: () => new AbortController().signal,
  deliveries: {
    held: async () => new Set<string>(),
    park: async (_sink: Sink, failures: readonly unknown[]) => failures.map(() => true),
  },
  park: async (records: readonly unknown[]) => records.map(() => ({ state: 'applied' }) as const),
};

function planRecord(app: App, sinks: readonly Sink[], entry: Entry, record: number): Replayed {
  const decoded = decodeSafely(app, entry);
  const change = 'change' in decoded ? decoded.change : undefined;
  return {
    record,
    verdict: decoded.verdict,
    kind: change?.kind ?? null,
    expired: change?.expired ?? false,
    entity: change?.entity.name ?? null,
    id: change?.id ?? null,
    version: change?.version ?? null,
    exact: change !== undefined && change.inexact === undefined,
    reason: 'reason' in decoded ? decoded.reason : (change?.inexact ?? null),
    plans: Object.fromEntries(
      sinks.map((sink) => [
        sink.name,
        plansOf(
          sink,
          changesFor(sink, [decoded]).map((one) => one.change),
        ),
      ]),
    ),
  };
}

function plansOf(sink: Sink, changes: readonly Change[]): unknown[] | { failed: string } {
  const show = (request: unknown) => readable(sink.show === undefined ? request : sink.show(request));
  try {
    const affected = changes.filter((change) => sink.isUnaffected?.(change) !== true);
    return affected.flatMap((change) => sink.plan(change).map(show));
  } catch (error) {
    return { failed: whatWasThrown(error) };
  }
}

/** Plain data: a change inside a request is named by its id, and bytes are base64, as in a stream record. */
function readable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Set) return [...value].map(readable);
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== 'object' || value === null) return value;
  if ('toJSON' in value) return JSON.parse(JSON.stringify(value));
  if ('entity' in value && 'images' in value && 'id' in value) return value.id;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, readable(member)]));
}

function requestsIn(plans: Replayed['plans'][string] | undefined): unknown[] {
  return Array.isArray(plans) ? plans : [];
}
