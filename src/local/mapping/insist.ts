import type { Clock } from './clock.ts';

type Circumstances = {
  signal: AbortSignal;
  clock: Clock;
  pollMilliseconds: number;
  retryDelay: (attempt: number) => number;
  warn: (line: string) => void;
};

/** Tries until it is done or the mapping stops, and says why it waits, once for each reason. */
export async function insist<T>(what: string, action: () => Promise<T>, run: Circumstances): Promise<T> {
  let said = '';
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      run.signal.throwIfAborted();
      const why = reason(error);
      if (why !== said) run.warn(`${what} failed, trying again: ${why}`);
      said = why;
      // Never shorter than a poll, so that a delay of nothing does not spin.
      await run.clock.sleep(Math.max(run.pollMilliseconds, run.retryDelay(attempt)), run.signal);
      run.signal.throwIfAborted();
    }
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
