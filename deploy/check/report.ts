/** What is checked, a line each as it is known, and the count at the end. */
import { setTimeout as wait } from 'node:timers/promises';

export type Report = {
  /** Goes on whatever comes of it. */
  check(name: string, look: () => Promise<unknown>): Promise<void>;
  /** Without it there is nothing more to check. */
  need<Value>(name: string, act: () => Promise<Value>): Promise<Value>;
  /** What `look` finds, once it finds anything; else it throws, and says what is missing. */
  eventually<Value>(
    missing: string,
    look: () => Promise<Value | undefined>,
    options?: { within?: number },
  ): Promise<Value>;
  passed(): number;
  failed(): number;
};

/** A need was not met; it has been told already. */
export class Stopped extends Error {}

export function openReport(say: (line: string) => void, signal: AbortSignal): Report {
  const counts = { passed: 0, failed: 0 };
  const told = async <Value>(name: string, act: () => Promise<Value>) => {
    const began = Date.now();
    const line = (word: string) => say(`${word} ${seconds(began).padStart(7)}  ${name}`);
    try {
      const value = await act();
      counts.passed += 1;
      line('ok    ');
      return { value };
    } catch (error) {
      signal.throwIfAborted();
      counts.failed += 1;
      line('FAILED');
      say(indented(error instanceof Error ? error.message : String(error)));
      return undefined;
    }
  };
  return {
    check: async (name, look) => void (await told(name, look)),
    async need(name, act) {
      const done = await told(name, act);
      if (done === undefined) throw new Stopped(name);
      return done.value;
    },
    async eventually(missing, look, { within = 30 } = {}) {
      let why = '';
      for (const end = Date.now() + within * 1000; Date.now() < end; await wait(200, undefined, { signal })) {
        const found = await look().catch((error: Error) => {
          why = ` (${error.message})`;
          return undefined;
        });
        if (found !== undefined) return found;
      }
      throw new Error(`Missing after ${within} s: ${missing}${why}`);
    },
    passed: () => counts.passed,
    failed: () => counts.failed,
  };
}

export function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

export function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

function indented(text: string): string {
  return text.trim().replace(/^/gm, '         ');
}
