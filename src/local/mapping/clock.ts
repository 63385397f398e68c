import { setTimeout } from 'node:timers/promises';

export type Clock = {
  /** Milliseconds from any fixed point; only differences are used. */
  now(): number;
  /** Ends early, without an error, when the signal aborts, and leaves no timer behind. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
};

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }).catch(() => {}),
};

/** Wakes who sleeps by it; rung while nobody sleeps, the next sleep is over at once. */
export function bell(clock: Clock) {
  let nap = new AbortController();
  return {
    ring: () => nap.abort(),
    async sleep(milliseconds: number) {
      await clock.sleep(milliseconds, nap.signal);
      nap = new AbortController();
    },
  };
}
