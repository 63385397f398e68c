/**
 * `sluice torture`: the pipeline as processes of its own, under load, with failing services; they are killed again and
 * again. Then all comes to rest, and every sink is compared with the table.
 */
import { mkdirSync, watch } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { App } from '../../pipeline/app.ts';
import { everyMinute, failuresIn } from '../home.ts';
import type { Traffic } from '../play/step.ts';
import type { ReadsOf } from '../proof/cache.ts';
import { openFaults } from './faults.ts';
import { type Kills, killAll } from './kills.ts';
import { startLoad } from './load.ts';
import { openPoints } from './points.ts';
import type { Processes } from './processes.ts';
import { openRandom } from './random.ts';
import { openServers, type RealServer } from './servers.ts';
import { bringToRest } from './settle.ts';
import { openStage, type Stage } from './stage.ts';
import { judge, type Verdict } from './verdict.ts';

export type TortureParts = {
  app: App;
  /** The folder of the exported handlers. */
  handlers: URL;
  traffic: Traffic;
  readsOf: ReadsOf;
};

export type TortureOptions = {
  kills: number;
  seed: number;
  /** The share of requests to a service that go wrong. */
  sinkFaults: number;
  /** Those of the named servers that are killed and frozen as well. */
  servers: readonly RealServer[];
  /** Read for what is named; what the clients need is written into it. */
  environment: NodeJS.ProcessEnv;
  /** Stops it early. */
  signal: AbortSignal;
  onKill(count: number): void;
};

export type Tortured = {
  seed: number;
  kills: Kills;
  /** What was done while processes were killed and services failed. */
  attacked: { requests: number; faults: number; outages: number; events: number; mails: number };
  /** What users did or tried. */
  acts: number;
  verdict: Verdict;
  /** What had not come to rest when it was given up. */
  waiting: string[];
};

/** As many as the functions can follow while they are killed: what only comes after the attack is under none. */
const manyUsers = 8;
/** In the end few: what is stale must not be healed by whoever comes next. */
const fewUsers = 4;

/** How long there is load after the last kill, where nothing goes wrong, milliseconds. */
const calmMilliseconds = 4_000;

export async function torture(parts: TortureParts, options: TortureOptions): Promise<Tortured> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-torture-'));
  const closing = [(): Promise<unknown> | unknown => rm(folder, { recursive: true, force: true })];
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // may come when nobody waits for it any more
  options.signal.addEventListener('abort', () => failed.reject(new Error('Interrupted.')));
  try {
    const running = play(parts, options, folder, (close) => closing.push(close), failed.reject);
    running.catch(() => {});
    const tortured = await Promise.race([running, failed.promise]);
    await closeAll(closing);
    return tortured;
  } catch (error) {
    await closeAll(closing).catch(() => {}); // why it failed is what matters
    throw error;
  }
}

/** The last first, and each, whatever becomes of the others; then the first that failed is told. */
async function closeAll(closing: (() => Promise<unknown> | unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const close of closing.splice(0).reverse()) {
    try {
      await close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

async function play(
  { app, handlers, traffic, readsOf }: TortureParts,
  { kills: count, seed, sinkFaults, servers: named, environment, onKill }: TortureOptions,
  folder: string,
  onOpen: (close: () => Promise<unknown> | unknown) => void,
  onExit: (error: Error) => void,
): Promise<Tortured> {
  const faults = openFaults(sinkFaults, openRandom(seed, 'faults'), Date.now);
  const points = openPoints(openRandom(seed, 'points'));
  let killed = 0;
  const overBy = () => (killed + 1) / count;
  const stage = await openStage({
    app,
    handlers,
    seed,
    faults,
    points,
    environment,
    folder,
    overBy,
    onOpen,
    onExit,
  });
  const { processes, passLeases, users, connections, services } = stage;
  const servers = openServers(named, openRandom(seed, 'servers'), connections);
  onOpen(servers.end);
  const gaveUp = watchFailures(folder);
  const begin = (day: number, count: number, acts: number) =>
    startLoad({ traffic, store: users, cache: connections.cache, seed: seed * 2 + day, users: count, acts });
  const load = begin(0, manyUsers, 0);
  const schedule = runSchedule(processes);
  const random = openRandom(seed, 'kills');
  const progress = progressOf(stage.answered);
  const kills = await killAll(count, {
    processes,
    points,
    servers,
    random,
    progress,
    passLeases,
    onKill(number) {
      killed = number;
      onKill(number);
    },
  });
  const attacked = {
    requests: faults.counts.requests,
    faults: faults.counts.faults,
    outages: faults.counts.outages,
    events: services.publishedEvents().length,
    mails: services.sentMail().length,
  };
  faults.end();
  const acts = await load.stop();
  await schedule.stop();
  const early = await bringToRest(stage);
  // Now that nothing is done twice any more, one invalidation that is lost stays lost.
  const calm = begin(1, fewUsers, acts);
  await wait(calmMilliseconds);
  const allActs = await calm.stop();
  const waiting = [...early, ...(await bringToRest(stage))];
  const excuses = {
    asked: stage.asked,
    kills: kills.functions + kills.redrive + kills.frozen,
    gaveUp: gaveUp(),
  };
  const { verdict, cacheKeys } = await judge(stage, readsOf, excuses);
  if (services.lasting.cache) await connections.cache?.invalidate(cacheKeys);
  return { seed, kills, attacked, acts: allActs, verdict, waiting };
}

/** Settles when a reader has answered a batch since it was called last; not for ever, where none can. */
function progressOf(answered: Stage['answered']): () => Promise<void> {
  let seen = { ...answered };
  return async function progress() {
    const readers = ['project', 'notify'];
    for (const end = performance.now() + patience; performance.now() < end; await wait(20))
      if (readers.some((name) => (answered[name] ?? 0) > (seen[name] ?? 0))) break;
    seen = { ...answered };
  };
}

/** How long is waited for progress before the next kill, milliseconds. */
const patience = 4_000;

/** Says whether a mapping has ever given up a batch of the function that publishes: redrive takes those up within moments. */
function watchFailures(folder: string): () => boolean {
  const failures = failuresIn(folder);
  mkdirSync(failures, { recursive: true });
  let hasSeen = false;
  watch(failures, (_event, name) => {
    hasSeen ||= name === null || name.startsWith('notify');
  }).unref();
  return () => hasSeen;
}

/** How often the schedule runs, milliseconds. */
const tickMilliseconds = 250;

/** What runs every minute in an account. */
function runSchedule(processes: Processes): { stop(): Promise<void> } {
  let stopping = false;
  const running = (async () => {
    while (!stopping) {
      // Killed in its midst, the next run goes on.
      await processes.invoke('redrive', 'redrive', {}).catch(() => {});
      await processes.invoke('redrive', 'mail', everyMinute).catch(() => {});
      await wait(tickMilliseconds);
    }
  })();
  return {
    stop() {
      stopping = true;
      return running;
    },
  };
}
