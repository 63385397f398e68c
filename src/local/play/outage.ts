/** An outage: one sink is gone for some seconds while the shop goes on; the others stay on time, and it catches up. */
import { setTimeout as wait } from 'node:timers/promises';
import { listParked } from '../../deliveries/list.ts';
import type { Store } from '../../table/store.ts';
import type { Home } from '../home.ts';

export type Outage = {
  /** Writes that happen while the sink is gone. */
  during: readonly ((store: Store) => Promise<void>)[];
};

const goneMilliseconds = 3_000;
const patience = 60_000;

/** Plays it and says what it was like, in figures; nothing where search is a real server. */
export async function playOutage(home: Home, { during }: Outage, say: (line: string) => void): Promise<void> {
  const search = home.services.killable.search;
  if (search === undefined) return;
  const began = performance.now();
  await search.kill();
  say(`search is killed; the shop goes on with ${during.length} orders`);
  const times: number[] = [];
  for (const play of during) {
    const start = performance.now();
    await play(home.store);
    await home.settle();
    times.push(performance.now() - start);
  }
  await wait(Math.max(0, goneMilliseconds - (performance.now() - began)));
  const parked = await waitingFor(home, 'search');
  await search.revive();
  const gone = performance.now() - began;
  say(
    `search is back after ${seconds(gone)}: ${parked} items wait for it; the others had each order after ` +
      `${Math.round(Math.max(...times))} ms at most`,
  );
  const back = performance.now();
  await broughtHome(home);
  say(`redrive has brought all of them home, ${seconds(performance.now() - back)} later`);
}

/** Waits until nothing is parked that is tried again by itself. */
export async function broughtHome(home: Home): Promise<void> {
  const end = performance.now() + patience;
  while ((await waitingFor(home)) > 0) {
    if (performance.now() > end)
      throw new Error(
        `What is parked did not come home within ${seconds(patience)}; "sluice deliveries" says why.`,
      );
    await wait(100);
  }
  await home.settle();
}

async function waitingFor({ connections }: Home, sink?: string): Promise<number> {
  const parked = await listParked(connections);
  const isMeant = (delivery: { sink: string | undefined }) => sink === undefined || delivery.sink === sink;
  return parked.filter((delivery) => delivery.state === 'waiting' && isMeant(delivery)).length;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
