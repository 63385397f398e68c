/** Plays a day, step by step: each on a full cache, and until all it caused has arrived. */
import type { BatchReport } from '../../pipeline/report.ts';
import { readThrough } from '../../sinks/cache/read.ts';
import type { Home } from '../home.ts';
import type { Watch } from '../live/watch.ts';
import type { ReadsOf } from '../proof/cache.ts';
import { readTruth } from '../proof/truth.ts';
import type { Outage } from './outage.ts';
import type { Step } from './step.ts';

export type Play = {
  home: Home;
  day: readonly Step[];
  readsOf: ReadsOf;
  /** What happens while search is gone, after the day; without it there is no outage. */
  outage?: Outage;
  /** Shows each change as it happens, instead of figures for each step. */
  live: boolean;
  say(line: string): void;
  /** What failed is said also where nothing else is. */
  warn(line: string): void;
};

export async function playDay({ home, day, readsOf, live, say }: Play, watch: Watch): Promise<void> {
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
export function line(title: string, batches: readonly BatchReport[]): string {
  const applied = (sink: string) => batches.reduce((sum, { sinks }) => sum + (sinks[sink]?.applied ?? 0), 0);
  const counts = ['search', 'cache', 'audit', 'email', 'bus'].map(
    (sink) => `${sink} ${String(applied(sink)).padEnd(4)}`,
  );
  return `${title.padEnd(60)} ${counts.join(' ')}`.trimEnd();
}
