/** Sluice at home: services, tables, and the exported handlers fed by event source mappings, in one process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { CreateEventBusCommand } from '@aws-sdk/client-eventbridge';
import type { Context, DynamoDBStreamEvent } from 'aws-lambda';
import { readConfig } from '../config.ts';
import { type Connections, connect, disconnect } from '../connections.ts';
import type { App } from '../pipeline/app.ts';
import { streamFilter } from '../pipeline/filter.ts';
import { storeOf } from '../pipeline/stream.ts';
import { ensureIndices, removeIndices } from '../sinks/search/indices.ts';
import type { Store } from '../table/store.ts';
import { openKept } from './kept.ts';
import { type Batch, type Handlers, settle, startMappings } from './mappings.ts';
import { scan } from './proof/truth.ts';
import { startSchedule } from './schedule.ts';
import type { SentMessage } from './servers/mail.ts';
import { type Services, startServices } from './services.ts';
import { ensureTables, type StreamArns } from './tables.ts';

export type { Handlers };

export type Home = {
  app: App;
  handlers: Handlers;
  services: Services;
  connections: Connections;
  store: Store;
  streams: DynamoDBStreamsClient;
  streamArns: StreamArns;
  /** Every batch that the mappings have delivered, in order. */
  batches: Batch[];
  /** Whether the table held items when it opened: those of an earlier run. */
  resumed: boolean;
  /** Waits until all that was written has reached every sink, or fails after a while, saying who is behind. */
  settle(): Promise<void>;
  stop(): Promise<void>;
};

type HomeOptions = {
  app: App;
  handlers: Handlers;
  /** Read for what is named; what the clients need is written into it. */
  environment: NodeJS.ProcessEnv;
  /** The folder in which everything is kept for the next run; without it nothing is. */
  keep?: string | undefined;
  /** Told of a service that ended by itself. */
  onExit: (error: Error) => void;
};

export async function openHome({ app, handlers, environment, keep, onExit }: HomeOptions): Promise<Home> {
  const config = readConfig(environment);
  const kept = keep === undefined ? undefined : openKept(keep, config);
  const services = await startServices(config, onExit, kept).catch((error) => {
    kept?.release();
    throw error;
  });
  const folder = kept?.folder ?? (await mkdtemp(join(tmpdir(), 'sluice-')));
  const restore = setEnvironment(environment, {
    ...services.environment,
    SLUICE_FAILURES: pathToFileURL(failuresIn(folder)).href,
  });
  const connections = connect(readConfig(environment));
  const streams = new DynamoDBStreamsClient({});
  const close = async () => {
    await disconnect(connections);
    streams.destroy();
    await services.stop();
    if (kept === undefined) await rm(folder, { recursive: true, force: true });
    kept?.release();
    restore();
  };
  try {
    const streamArns = await prepare(app, connections);
    const resumed = (await scan(connections.dynamodb, connections.config.SLUICE_TABLE)).length > 0;
    const batches: Batch[] = [];
    const mappings = startMappings({
      handlers,
      ours: streamFilter(app),
      streams,
      streamArns,
      folder,
      failures: failuresIn(folder),
      batches,
    });
    services.onDelivery((message) => {
      // What is reported late, as the run ends, is reported to nobody.
      handlers.feedback(deliveryReport(message), {} as Context).catch(() => {});
    });
    const schedule = startSchedule(async () => {
      await handlers.redrive({}, {} as Context);
      await handlers.mail(everyMinute, {} as Context);
    });
    return {
      app,
      handlers,
      services,
      connections,
      store: storeOf(app, connections),
      streams,
      streamArns,
      batches,
      resumed,
      settle: () => settle(mappings, batches),
      async stop() {
        await Promise.all([schedule.stop(), ...Object.values(mappings).map((mapping) => mapping.stop())]);
        if (kept === undefined) await tidy(app, services, connections);
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** As SES publishes it to EventBridge. */
export function deliveryReport({ messageId, to, tags }: SentMessage): unknown {
  const listed = Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, [value]]));
  const detail = { eventType: 'Delivery', mail: { messageId, destination: to, tags: listed } };
  return { source: 'aws.ses', 'detail-type': 'Email Delivered', detail };
}

/** What a rule on a schedule sends. */
export const everyMinute = {
  source: 'aws.events',
  'detail-type': 'Scheduled Event',
  detail: {},
} as unknown as DynamoDBStreamEvent;

/** Where batches lie that a function has failed until its mapping gave up. */
export function failuresIn(folder: string): string {
  return join(folder, 'failures');
}

/** Handlers read their configuration from the environment, as on Lambda. Gives a way back. */
export function setEnvironment(environment: NodeJS.ProcessEnv, values: Record<string, string>): () => void {
  const before = Object.keys(values).map((name) => [name, environment[name]] as const);
  Object.assign(environment, values);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete environment[name];
      else environment[name] = value;
    }
  };
}

export async function prepare(
  app: App,
  { dynamodb, eventbridge, search, cache, config }: Connections,
): Promise<StreamArns> {
  await reach('Search', 'SLUICE_SEARCH_ENDPOINT', async () => {
    if (search !== undefined) await ensureIndices(search, config.SLUICE_SEARCH_PREFIX, app.entities);
  });
  await reach('The cache', 'SLUICE_CACHE_ENDPOINT', () => cache?.peek('sluice'));
  await eventbridge.send(new CreateEventBusCommand({ Name: config.SLUICE_BUS }));
  return reach('DynamoDB', 'SLUICE_DYNAMODB_ENDPOINT', () => ensureTables(dynamodb, config, app.table));
}

/** A service that does not answer is named before anything begins, with the variable that says where it is. */
async function reach<Value>(service: string, variable: string, ask: () => Promise<Value> | undefined) {
  try {
    return (await ask()) as Value;
  } catch (cause) {
    const { message } = cause instanceof Error ? cause : new Error(String(cause));
    throw new Error(`${service} does not answer as it should: ${message}. Is ${variable} right?`, {
      cause,
    });
  }
}

/** Leaves nothing behind on a server that was there before. */
export async function tidy(
  app: App,
  { lasting }: Services,
  { dynamodb, search, cache, config }: Connections,
): Promise<void> {
  const tables = [
    config.SLUICE_TABLE,
    config.SLUICE_DELIVERIES_TABLE,
    config.SLUICE_OUTBOX_TABLE,
    config.SLUICE_AUDIT_TABLE,
  ];
  if (lasting.dynamodb)
    await Promise.all(tables.map((TableName) => dynamodb.send(new DeleteTableCommand({ TableName }))));
  if (lasting.search && search !== undefined)
    await removeIndices(search, config.SLUICE_SEARCH_PREFIX, app.entities);
  await cache?.close();
}
