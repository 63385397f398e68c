/** Plays a day, proves the end state, attacks, and proves it again. */

import type { BatchReport } from '../../pipeline/report.ts';
import { readThrough } from '../../sinks/cache/read.ts';
import type { Home } from '../home.ts';
import { type Watch, watchChanges } from '../live/watch.ts';
import type { ReadsOf } from '../proof/cache.ts';
import { readTruth } from '../proof/truth.ts';
import { attack } from './attack.ts';
import { type Comparison, compareAll } from './compare.ts';
import type { Step } from './step.ts';

export type Play = {
  home: Home;
  day: readonly Step[];
  readsOf: ReadsOf;
  /** Shows each change as it happens, instead of figures for each step. */
  live: boolean;
  say(line: string): void;
};

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
  const watch = watchChanges(play.live ? play.say : () => {});
  try {
    await playDay(play, watch);
    const before = await compareAll(play.home, play.readsOf, false);
    return await attackAndProve(play, watch, before, 0);
  } finally {
    watch.stop();
  }
}

/** Hands everything to the handlers again, and compares. `known`: how many were parked for good reason before it. */
export async function attackAndProve(
  play: Play,
  watch: Watch,
  before: Comparison,
  known: number,
): Promise<Proof> {
  const { home, readsOf, say } = play;
  watch.show(false);
  watch.counts();
  const { repeats, refused } = await attack(home);
  await home.settle();
  say(line('all of it again, three times, shuffled', watch.counts()));
  watch.show(true);
  const after = await compareAll(home, readsOf, true);
  return proofOf(before, after, repeats, [...refused, ...wronglyParked(before, after, known)]);
}

async function playDay({ home, day, readsOf, live, say }: Play, watch: Watch): Promise<void> {
  for (const { title, play } of day) {
    // Everything is read through the cache first: only what is held can be shown not to go stale.
    await warm(home, readsOf);
    if (live) say(title);
    await play(home.store);
    await home.settle();
    if (!live) say(line(title, watch.counts()));
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

/** The poison of the attack is parked once, however often it comes; nothing else is. */
function wronglyParked(before: Comparison, after: Comparison, known: number): string[] {
  const expected = Math.max(known, 1);
  if (before.parked === known && after.parked === expected) return [];
  return [`${before.parked}, then ${after.parked} parked; expected ${known}, then ${expected}`];
}

function proofOf(before: Comparison, after: Comparison, repeats: number, others: string[]): Proof {
  const both = [before, after];
  const findings = [
    ...new Set([
      ...both.flatMap(({ missing, stale, doubled }) => [...missing, ...stale, ...doubled]),
      ...others,
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
