/** Many users at once, who go on until they are told to stop. */
import { setTimeout as wait } from 'node:timers/promises';
import type { CachePort } from '../../sinks/cache/port.ts';
import { WriteError } from '../../table/errors.ts';
import type { Store } from '../../table/store.ts';
import type { Chance, Traffic } from '../play/step.ts';
import { openRandom } from './random.ts';

type Parts = {
  traffic: Traffic;
  store: Store;
  cache: CachePort | undefined;
  seed: number;
  users: number;
  /** How often something was done before. */
  acts: number;
};

/** How long a user thinks between two acts, milliseconds. */
const thinks = [10, 500] as const;

export function startLoad({ traffic, store, cache: port, seed, users, acts }: Parts): {
  /** Gives how often something was done, or tried, by then. */
  stop(): Promise<number>;
} {
  const cache = port && slowToFill(port, openRandom(seed, 'slow readers'));
  let done = acts;
  let stopping = false;
  const running = Array.from({ length: users }, async (_, user) => {
    const random = openRandom(seed, `user ${user}`);
    while (!stopping) {
      await wait(random.between(...thinks));
      await traffic({ store, cache, random, acts: done++ }).catch((error: unknown) => {
        if (!isExpected(error)) throw error;
      });
    }
  });
  const all = Promise.all(running);
  all.catch(() => {}); // told by `stop`
  return {
    async stop() {
      stopping = true;
      await all;
      return done;
    },
  };
}

/** How long a slow reader takes from reading to filling, milliseconds: longer than a change takes to arrive. */
const slowness = [500, 8_000] as const;

/** Between reading an item and filling the cache with it, much can happen. */
function slowToFill(port: CachePort, random: Chance): CachePort {
  return {
    ...port,
    async fill(...filling) {
      if (random.chance(0.3)) await wait(random.between(...slowness));
      return port.fill(...filling);
    },
  };
}

/** What the write side refuses, and what comes from a service or from the way there. */
function isExpected(error: unknown): boolean {
  return error instanceof WriteError || (error instanceof Error && '$metadata' in error);
}
