/** What is wrong once all has come to rest: every sink against the table and its stream, under the promises made. */
import { listParked } from '../../deliveries/list.ts';
import { holdKey } from '../../deliveries/rows.ts';
import type { CachePort } from '../../sinks/cache/port.ts';
import { decodeImage, type Image } from '../../table/attributes.ts';
import type { Change } from '../../table/change.ts';
import type { Home } from '../home.ts';
import { compareAudit } from '../proof/audit.ts';
import { compareBus, wronglyLate } from '../proof/bus.ts';
import { compareCache, type ReadsOf } from '../proof/cache.ts';
import { compareParked } from '../proof/parked.ts';
import { compareSearch } from '../proof/search.ts';
import { readStream, readTruth, scan } from '../proof/truth.ts';
import { compareMail } from './mail.ts';

export type Checked = Pick<Home, 'app' | 'store' | 'streams' | 'streamArns' | 'connections' | 'services'>;

export type Verdict = {
  /** What was compared. */
  changes: number;
  items: number;
  events: number;
  mails: number;
  /** Allowed, and counted: events that are marked late, mails that came again or wait for a person. */
  late: number;
  /** Whether it could be judged if they are so with reason: not of what a mapping gave up. */
  lateJudged: boolean;
  mailRepeats: number;
  mailsInDoubt: number;
  /** Cache keys that were held at the end, and so compared. */
  cached: number;
  /** By promise, what breaks it; each names its place. */
  broken: Record<Promised, string[]>;
};

type Promised =
  | 'search: missing or stale'
  | 'cache: stale'
  | 'audit: missing or altered'
  | 'audit: doubled'
  | 'mail: missing or altered'
  | 'mail: doubled'
  | 'mail: out of order'
  | 'events: missing or altered'
  | 'events: never happened'
  | 'events: out of order, not late'
  | 'events: late without reason'
  | 'parked: missing'
  | 'parked: left behind';

const overtaking = 'came after a newer one of its item';

type Excuses = {
  /** The tags of the mails that SES was asked for. */
  asked: ReadonlySet<string>;
  /** How often a process was killed: each may have left one mail in doubt before SES was asked. */
  kills: number;
  /** Whether a mapping has given a batch up: what is taken up from there is late, for all that is known. */
  gaveUp: boolean;
};

/** `cacheKeys`: all that the run can have left in the cache. */
export async function judge(
  home: Checked,
  readsOf: ReadsOf,
  excuses: Excuses,
): Promise<{ verdict: Verdict; cacheKeys: string[] }> {
  const { app, store, streams, streamArns, connections, services } = home;
  const { config, dynamodb, search, cache } = connections;
  const truth = await readTruth(app, store, streams, streamArns.table);
  const { changes, logged } = truth;
  const deliveries = await scan(dynamodb, config.SLUICE_DELIVERIES_TABLE);
  const trail = await scan(dynamodb, config.SLUICE_AUDIT_TABLE);
  const outbox = await scan(dynamodb, config.SLUICE_OUTBOX_TABLE);
  const [mails, events] = [services.sentMail(), services.publishedEvents()];
  const index = search && { client: search, prefix: config.SLUICE_SEARCH_PREFIX, app };
  const found = index ? await compareSearch(index, truth) : undefined;
  const held = cache ? await compareCache(cache, store, changes, readsOf) : undefined;
  const audit = compareAudit(app.table, trail, logged);
  const mail = compareMail({
    mails,
    outbox,
    history: await imagesOf(home),
    changes,
    sender: config.SLUICE_SENDER,
    asked: excuses.asked,
    mostUnasked: excuses.kills,
  });
  const bus = compareBus(events, changes, config.SLUICE_EVENT_SOURCE, { repeats: true, late: true });
  const [unordered, altered] = split(bus.stale, (one) => one.endsWith(overtaking));
  const cacheKeys = keysOf(home, changes, readsOf);
  const verdict: Verdict = {
    changes: logged.length,
    items: new Set(logged.map(({ item }) => item)).size,
    events: events.length,
    mails: mails.length,
    late: events.filter(({ detail }) => (detail as { meta?: { late?: boolean } }).meta?.late).length,
    lateJudged: !excuses.gaveUp,
    mailRepeats: mail.repeats,
    mailsInDoubt: mail.inDoubt,
    cached: cache ? await heldIn(cache, cacheKeys) : 0,
    broken: {
      'search: missing or stale': found ? [...found.missing, ...found.stale] : [],
      'cache: stale': held?.stale ?? [],
      'audit: missing or altered': [...audit.missing, ...audit.stale],
      'audit: doubled': audit.doubled,
      'mail: missing or altered': [...mail.finding.missing, ...mail.finding.stale],
      'mail: doubled': mail.finding.doubled,
      'mail: out of order': mail.order,
      'events: missing or altered': [...bus.missing, ...altered],
      'events: never happened': bus.doubled,
      'events: out of order, not late': unordered,
      'events: late without reason': excuses.gaveUp ? [] : wronglyLate(events, changes),
      'parked: missing': compareParked(app, deliveries, truth).missing,
      'parked: left behind': [...(await leftBehind(connections)), ...holdsIn(deliveries)],
    },
  };
  return { verdict, cacheKeys };
}

function keysOf({ store }: Checked, changes: readonly Change[], readsOf: ReadsOf): string[] {
  const keys = changes.flatMap(({ entity, before, after }) =>
    [before, after].flatMap((item) => (item ? readsOf(store, entity, item).map(({ key }) => key) : [])),
  );
  return [...new Set(keys)];
}

async function heldIn(cache: CachePort, keys: readonly string[]): Promise<number> {
  const held = await Promise.all(keys.map((key) => cache.peek(key)));
  return held.filter((value) => value !== undefined).length;
}

/** Every image that an outbox row ever had. */
async function imagesOf({ streams, streamArns }: Checked): Promise<Image[]> {
  const records = await readStream(streams, streamArns.outbox);
  return records.flatMap(({ dynamodb }) => (dynamodb?.NewImage ? [dynamodb.NewImage as Image] : []));
}

/** Nothing here is refused for good but what does not fit its entity: all else must have gone home. */
async function leftBehind(connections: Home['connections']): Promise<string[]> {
  const parked = await listParked(connections);
  return parked
    .filter(({ sink }) => sink !== undefined)
    .map(({ sink, item, state, reason }) => `${sink} has ${item} ${state}: ${reason}`);
}

/** A hold with nothing under it is shown to nobody, and stops its item's acts all the same. */
function holdsIn(deliveries: readonly Image[]): string[] {
  return deliveries
    .map((image) => decodeImage(image))
    .filter(({ sk }) => sk === holdKey)
    .map(({ pk }) => `${pk} is still held`);
}

function split<Value>(values: readonly Value[], isFirst: (value: Value) => boolean): [Value[], Value[]] {
  return [values.filter(isFirst), values.filter((value) => !isFirst(value))];
}
