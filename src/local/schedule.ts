/** Runs a function again and again, as a schedule of EventBridge would; never twice at once. */
import { setTimeout as wait } from 'node:timers/promises';

const everyMilliseconds = 1_000;

export function startSchedule(run: () => Promise<unknown>): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await wait(everyMilliseconds, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      // What a run could not do, the next one does.
      await run().catch((error: Error) => console.error(`redrive: ${error.name}: ${error.message}`));
    }
  })();
  return {
    stop() {
      stopping.abort();
      return running;
    },
  };
}
