/** What can be done once the day is over: everything again, poison, a trace, an order. */
import type { Home } from '../home.ts';
import { compareAll } from '../play/compare.ts';
import { attackAndProve, type Play, proofLines } from '../play/once.ts';
import type { OnDemand } from '../play/step.ts';
import { readTruth } from '../proof/truth.ts';
import { trace } from './trace.ts';
import type { Watch } from './watch.ts';

type Parts = { play: Play; watch: Watch; onDemand: OnDemand };
type Command = { key: string; means: string; run(): Promise<void> };

export function commands({ play, watch, onDemand }: Parts): Command[] {
  const { home, readsOf, say } = play;
  let orders = 0;
  let poisoned = 0;
  return [
    {
      key: 'r',
      means: 'everything again',
      async run() {
        const before = await compareAll(home, readsOf, true);
        for (const line of proofLines(await attackAndProve(play, watch, before, 1 + poisoned))) say(line);
      },
    },
    {
      key: 'o',
      means: 'place an order',
      run: () => onDemand.placeOrder(home.store, ++orders),
    },
    {
      key: 'p',
      means: 'inject poison',
      async run() {
        await onDemand.poison(home.store, ++poisoned);
        await home.settle();
        say(
          `an item of ours that does not fit was written past us: ${1 + poisoned} are parked, nothing else waits`,
        );
      },
    },
    {
      key: 't',
      means: 'trace the item that changed last',
      async run() {
        for (const line of await trace(home, readsOf, await lastItem(home))) say(line);
      },
    },
  ];
}

async function lastItem({ app, store, streams, streamArns }: Home): Promise<string> {
  const { changes } = await readTruth(app, store, streams, streamArns.table);
  return changes.at(-1)?.item ?? '';
}
