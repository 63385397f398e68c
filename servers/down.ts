/** Ends what was started for this checkout, and removes its data; what was downloaded stays. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { all } from './all.ts';
import type { Places } from './places.ts';
import { end, isRunning } from './processes.ts';
import type { State } from './state.ts';

/** OpenSearch writes its archive of classes when it ends for the first time. */
const patienceSeconds = 60;

export async function takeDown({ cache, run }: Places, state: State, say: (line: string) => void) {
  const running = Object.entries(state.read());
  if (running.length === 0) say('Nothing was up.');
  await Promise.all(
    running.map(async ([name, { processes }]) => {
      const were = processes.some(isRunning);
      await end(processes, patienceSeconds);
      all[name]?.keep?.(join(run, name), cache);
      say(`${all[name]?.title ?? name}: ${were ? 'down' : 'ran no more'}`);
    }),
  );
  rmSync(run, { recursive: true, force: true });
}
