/** Plays a day, proves the end state, attacks, and proves it again. */

import { type BatchReport, reports } from '../../pipeline/report.ts';
import { readThrough } from '../../sinks/cache/read.ts';
import type { Home } from '../home.ts';
import type { ReadsOf } from '../proof/cache.ts';
import { readTruth } from '../proof/truth.ts';
import { attack } from './attack.ts';
import { type Comparison, compareAll } from './compare.ts';
import type { Step } from './step.ts';

export type Play = { home: Home; day: readonly Step[]; readsOf: ReadsOf; say(line: string): void };

export type Proof = {
  ok: boolean;
  items: number;
  sinks: number;
  missing: number;
  stale: number;
  doubled: number;
  repeats: number;
  parked: number;
  /** What was found wrong, each naming its place. */
  findings: string[];
};

export async function playOnce(play: Play): Promise<Proof> {
  const { home, readsOf } = play;
  const heard: BatchReport[] = [];
  const listen = (batch: unknown) => heard.push(batch as BatchReport);
  reports.subscribe(listen);
  try {
    await playDay(play, heard);
    const before = await compareAll(home, readsOf, false);
    const { repeats, refused } = await attack(home);
    await home.settle();
    play.say(line('all of it again, three times, shuffled', heard.splice(0)));
    const after = await compareAll(home, readsOf, true);
    return proofOf(before, after, repeats, refused);
  } finally {
    reports.unsubscribe(listen);
  }
}

async function playDay({ home, day, readsOf, say }: Play, heard: BatchReport[]): Promise<void> {
  for (const { title, play } of day) {
    // Everything is read through the cache first: only what is held can be shown not to go stale.
    await warm(home, readsOf);
    await play(home.store);
    await home.settle();
    say(line(title, heard.splice(0)));
  }
}

async function warm({ app, store, streams, streamArns, connections }: Home, readsOf: ReadsOf): Promise<void> {
  const { items } = await readTruth(app, store, streams, streamArns.table);
  for (const { entity, stored } of items) {
    if (!stored.live) continue;
    for (const read of readsOf(store, entity, stored.fields))
      await readThrough({ port: connections.cache, ...read });
  }
}

/** What a step caused, sink by sink: in a view what was written, in the others what was new. */
function line(title: string, batches: readonly BatchReport[]): string {
  const applied = (sink: string) => batches.reduce((sum, { sinks }) => sum + (sinks[sink]?.applied ?? 0), 0);
  const counts = ['search', 'cache', 'audit', 'email', 'bus'].map(
    (sink) => `${sink} ${String(applied(sink)).padEnd(4)}`,
  );
  return `${title.padEnd(60)} ${counts.join(' ')}`.trimEnd();
}

function proofOf(before: Comparison, after: Comparison, repeats: number, refused: string[]): Proof {
  const both = [before, after];
  const parking =
    before.parked === 0 && after.parked === 1
      ? []
      : [`${before.parked}, then ${after.parked} parked; expected 0, then 1`];
  const findings = [
    ...new Set([
      ...both.flatMap(({ missing, stale, doubled }) => [...missing, ...stale, ...doubled]),
      ...parking,
      ...refused,
    ]),
  ];
  const most = (kind: 'missing' | 'stale' | 'doubled') =>
    Math.max(...both.map((comparison) => comparison[kind].length));
  return {
    ok: findings.length === 0,
    items: after.items,
    sinks: after.sinks,
    missing: most('missing'),
    stale: most('stale'),
    doubled: most('doubled'),
    repeats,
    parked: after.parked,
    findings,
  };
}

/** The proof in a line, and below it what is wrong, if anything is. */
export function proofLines({
  ok,
  items,
  sinks,
  missing,
  stale,
  doubled,
  repeats,
  parked,
  findings,
}: Proof): string[] {
  const figures = `${missing} missing, ${stale} stale, ${doubled} doubled (and again after ${repeats} repeats)`;
  return [
    `${parked} parked${parked === 1 ? ', as expected' : ''}`,
    `PROOF ${items} items × ${sinks} sinks: ${figures}`,
    ...(ok ? [] : ['FAILED', ...findings.map((finding) => `  ${finding}`)]),
  ];
}
