/** What can be done once the day is over: everything again, poison, a trace, an order. */
import type { Home } from '../home.ts';
import { compareAll } from '../play/compare.ts';
import { attackAndProve, type Play, proofLines } from '../play/once.ts';
import type { OnDemand } from '../play/step.ts';
import { readTruth } from '../proof/truth.ts';
import { trace } from './trace.ts';
import type { Watch } from './watch.ts';

type Parts = {
  play: Play;
  watch: Watch;
  onDemand: OnDemand;
  /** How many were parked before anything was done by hand. */
  parked: number;
};
type Command = { key: string; means: string; run(): Promise<void> };

export function commands({ play, watch, onDemand, parked }: Parts): Command[] {
  const { home, readsOf, say } = play;
  let known = parked;
  return [
    {
      key: 'r',
      means: 'everything again',
      async run() {
        const before = await compareAll(home, readsOf, true);
        const proof = await attackAndProve(play, watch, before, known);
        known = proof.parked;
        for (const line of proofLines(proof)) say(line);
      },
    },
    {
      key: 'o',
      means: 'place an order',
      run: () => onDemand.placeOrder(home.store, home.store.now()),
    },
    {
      key: 'p',
      means: 'inject poison',
      async run() {
        await onDemand.poison(home.store, home.store.now());
        known++;
        await home.settle();
        say(`an item of ours that does not fit was written past us: ${known} are parked, nothing else waits`);
      },
    },
    ...(['search', 'cache', 'bus'] as const).flatMap((sink) => killing(home, sink, say)),
    {
      key: 't',
      means: 'trace the item that changed last',
      async run() {
        for (const line of await trace(home, readsOf, await lastItem(home))) say(line);
      },
    },
  ];
}

/** Kills the sink's service, or revives it; nothing where it is a real one. */
function killing(
  { services }: Home,
  sink: 'search' | 'cache' | 'bus',
  say: (line: string) => void,
): Command[] {
  const service = services.killable[sink];
  if (service === undefined) return [];
  let isGone = false;
  const key = sink.charAt(0);
  return [
    {
      key,
      means: `kill ${sink}`,
      async run() {
        await (isGone ? service.revive() : service.kill());
        isGone = !isGone;
        say(
          isGone
            ? `${sink} is gone: what is meant for it is parked; ${key} revives it`
            : `${sink} is back; redrive follows`,
        );
      },
    },
  ];
}

async function lastItem({ app, store, streams, streamArns }: Home): Promise<string> {
  const { changes } = await readTruth(app, store, streams, streamArns.table);
  return changes.at(-1)?.item ?? '';
}
