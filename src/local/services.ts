/**
 * The services that a local run uses: stand-ins of our own, and whatever real one was named. Credentials are
 * dummies and addresses loopback, always: nothing of the user's account can be reached by accident.
 */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { type Kept, newRun } from './kept.ts';
import { type BusEvent, startBus } from './servers/bus.ts';
import { startCache } from './servers/cache.ts';
import { startDynamoDB } from './servers/dynamodb.ts';
import type { Killable } from './servers/http.ts';
import { type SentMessage, startMail } from './servers/mail.ts';
import { startSearch } from './servers/search.ts';

export type Services = {
  /** The environment that points every client at them. */
  environment: Record<string, string>;
  /** What each service is, for the first line. */
  described: { name: string; real?: string }[];
  dynamodbUrl: string;
  mailUrl: string;
  /** Whether tables, indices and keys lie on a server that outlives this run. */
  lasting: { dynamodb: boolean; search: boolean; cache: boolean };
  /** Sinks whose service is a stand-in, and can be gone for a while. */
  killable: Partial<Record<'search' | 'cache' | 'bus', Pick<Killable, 'kill' | 'revive'>>>;
  sentMail(): SentMessage[];
  /** Told of each mail once it is delivered. */
  onDelivery(told: (message: SentMessage) => void): void;
  publishedEvents(): BusEvent[];
  /** Calls `receive` with each event of a bus that matches the pattern. */
  subscribe(busName: string, pattern: object, receive: (event: BusEvent) => void): void;
  stop(): Promise<void>;
};

/** The region that records and clients are given; no request ever leaves the machine for it. */
export const localRegion = 'eu-central-1';

/**
 * `kept`: where the stand-ins keep what they hold; else it is gone with them. `clocks`: what time it is for a stand-in,
 * epoch milliseconds.
 */
export async function startServices(
  config: Config,
  onExit: (error: Error) => void,
  kept?: Kept,
  clocks: { search?: () => number; cache?: () => number } = {},
): Promise<Services> {
  const file = (name: string) => (kept === undefined ? undefined : join(kept.folder, name));
  const named = {
    dynamodb: config.SLUICE_DYNAMODB_ENDPOINT,
    search: config.SLUICE_SEARCH_ENDPOINT,
    cache: config.SLUICE_CACHE_ENDPOINT,
  };
  const started: { stop(): Promise<void> }[] = [];
  const start = async <Server extends { stop(): Promise<void> }>(server: Promise<Server>) => {
    const running = await server;
    started.push(running);
    return running;
  };
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()));
  };
  try {
    const dynamodbUrl =
      named.dynamodb ?? (await start(startDynamoDB({ onExit, file: file('dynamodb.sqlite') }))).url;
    const search =
      named.search ??
      (await start(
        startSearch({ file: file('search.jsonl'), ...(clocks.search && { now: clocks.search }) }),
      ));
    const cache = named.cache ?? (await start(revivableCache(clocks.cache)));
    const mail = await start(startMail({ file: file('mail.jsonl') }));
    const bus = await start(startBus({ region: localRegion, file: file('bus.jsonl') }));
    return {
      environment: {
        ...dummyAccount,
        AWS_ENDPOINT_URL_DYNAMODB: dynamodbUrl,
        AWS_ENDPOINT_URL_DYNAMODB_STREAMS: dynamodbUrl,
        AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url,
        AWS_ENDPOINT_URL_SES: mail.url,
        // A run begins with nothing; what happens from now on is what it acts on.
        SLUICE_SINCE: config.SLUICE_SINCE ?? startOfMinute(Date.now()),
        // The console shows what goes well; the log is for what does not.
        SLUICE_LOG_LEVEL: config.SLUICE_LOG_LEVEL === 'info' ? 'warn' : config.SLUICE_LOG_LEVEL,
        SLUICE_SEARCH_ENDPOINT: typeof search === 'string' ? search : search.url,
        SLUICE_CACHE_ENDPOINT: typeof cache === 'string' ? cache : cache.url,
        ...ownNames(named, kept?.run ?? newRun()),
      },
      described: [
        { name: 'DynamoDB', ...(named.dynamodb !== undefined && { real: named.dynamodb }) },
        { name: 'search', ...(named.search !== undefined && { real: named.search }) },
        { name: 'cache', ...(named.cache !== undefined && { real: named.cache }) },
        { name: 'mail' },
        { name: 'EventBridge' },
      ],
      dynamodbUrl,
      mailUrl: mail.url,
      lasting: {
        dynamodb: named.dynamodb !== undefined,
        search: named.search !== undefined,
        cache: named.cache !== undefined,
      },
      killable: {
        ...(typeof search !== 'string' && { search }),
        ...(typeof cache !== 'string' && { cache }),
        bus,
      },
      sentMail: mail.sent,
      onDelivery: mail.onDelivery,
      publishedEvents: () => bus.events(),
      subscribe: (busName, pattern, receive) => void bus.subscribe(busName, pattern, receive),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A cache that comes back at its address, with nothing in it. */
async function revivableCache(now?: () => number): Promise<Killable> {
  const clock = now && { now };
  let cache = await startCache({ ...clock });
  const { url } = cache;
  return {
    url,
    stop: () => cache.stop(),
    kill: () => cache.stop(),
    async revive() {
      cache = await startCache({ port: Number(new URL(url).port), ...clock });
    },
  };
}

/** DynamoDB Local says of a change in which minute it was made, no more. */
function startOfMinute(now: number): string {
  return new Date(now - (now % 60_000)).toISOString();
}

const dummyAccount = {
  AWS_REGION: localRegion,
  AWS_ACCESS_KEY_ID: 'local', // letters and digits only: DynamoDB Local takes no others
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_SESSION_TOKEN: '',
  AWS_PROFILE: '',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};

/** On a server that was named, the run keeps to tables, indices and keys of its own. */
function ownNames(named: Record<'dynamodb' | 'search' | 'cache', string | undefined>, run: string) {
  return {
    ...(named.dynamodb !== undefined && {
      SLUICE_TABLE: `${run}-table`,
      SLUICE_DELIVERIES_TABLE: `${run}-deliveries`,
      SLUICE_OUTBOX_TABLE: `${run}-outbox`,
      SLUICE_AUDIT_TABLE: `${run}-audit`,
    }),
    ...(named.search !== undefined && { SLUICE_SEARCH_PREFIX: `${run}-` }),
    ...(named.cache !== undefined && { SLUICE_CACHE_PREFIX: `${run}:` }),
  };
}
