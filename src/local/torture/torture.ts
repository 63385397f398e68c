/**
 * `sluice torture`: the pipeline as processes of its own, under load, with failing services; they are killed again and
 * again. Then all comes to rest, and every sink is compared with the table.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { App } from '../../pipeline/app.ts';
import { everyMinute } from '../home.ts';
import type { Traffic } from '../play/step.ts';
import type { ReadsOf } from '../proof/cache.ts';
import { type Faults, openFaults } from './faults.ts';
import { type Kills, killAll } from './kills.ts';
import { type LoadCounts, startLoad } from './load.ts';
import { openPoints } from './points.ts';
import type { Processes } from './processes.ts';
import { openRandom } from './random.ts';
import { bringToRest } from './settle.ts';
import { openStage } from './stage.ts';
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
  /** Read for what is named; what the clients need is written into it. */
  environment: NodeJS.ProcessEnv;
  /** Stops it early. */
  signal: AbortSignal;
  onKill(count: number): void;
};

export type Tortured = {
  seed: number;
  kills: Kills;
  faults: Faults['counts'];
  load: LoadCounts;
  verdict: Verdict;
  /** What had not come to rest when it was given up. */
  waiting: string[];
};

/** How long there is load where nothing is killed, milliseconds. */
const calmMilliseconds = 5_000;

export async function torture(parts: TortureParts, options: TortureOptions): Promise<Tortured> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-torture-'));
  const closing = [(): Promise<unknown> | unknown => rm(folder, { recursive: true, force: true })];
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // may come when nobody waits for it any more
  options.signal.addEventListener('abort', () => failed.reject(new Error('Interrupted.')));
  try {
    const running = play(parts, options, folder, (close) => closing.push(close), failed.reject);
    running.catch(() => {});
    return await Promise.race([running, failed.promise]);
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

async function play(
  { app, handlers, traffic, readsOf }: TortureParts,
  { kills: count, seed, sinkFaults, environment, onKill }: TortureOptions,
  folder: string,
  onOpen: (close: () => Promise<unknown> | unknown) => void,
  onExit: (error: Error) => void,
): Promise<Tortured> {
  const faults = openFaults(sinkFaults, openRandom(seed, 'faults'), Date.now);
  const points = openPoints(openRandom(seed, 'points'));
  const stage = await openStage({ app, handlers, seed, faults, points, environment, folder, onOpen, onExit });
  const { processes, passLeases, users, connections } = stage;
  const load = startLoad({ traffic, store: users, cache: connections.cache, seed });
  const schedule = runSchedule(processes);
  const random = openRandom(seed, 'kills');
  const kills = await killAll(count, { processes, points, random, passLeases, onKill, calmMilliseconds });
  const acts = await load.stop();
  faults.end();
  await schedule.stop();
  const waiting = await bringToRest(stage);
  const verdict = await judge(stage, readsOf);
  return { seed, kills, faults: faults.counts, load: acts, verdict, waiting };
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
