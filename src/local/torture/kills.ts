/** Kills processes, at random moments and at chosen points, and lets time pass in between. */

import { setTimeout as wait } from 'node:timers/promises';
import type { Chance } from '../play/step.ts';
import type { Role } from './messages.ts';
import type { Points } from './points.ts';
import type { Processes } from './processes.ts';

export type Kills = Record<Role, number> & { atPoints: number; frozen: number };

type Parts = {
  processes: Processes;
  points: Points;
  random: Chance;
  /** How long the load goes on, milliseconds, where nothing is killed. */
  calmMilliseconds: number;
  /** Puts the clock of all processes forward, past every lease. */
  passLeases(): void;
  onKill(count: number): void;
};

/** How long a chosen point is waited for, milliseconds; some are only reached where something has failed before. */
const patience = 3_000;

export async function killAll(count: number, parts: Parts): Promise<Kills> {
  const { processes, points, random, passLeases, onKill, calmMilliseconds } = parts;
  const kills: Kills = { functions: 0, mapping: 0, redrive: 0, atPoints: 0, frozen: 0 };
  if (count === 0) await wait(calmMilliseconds);
  for (let number = 1; number <= count; number++) {
    const role = random.pick(['functions', 'functions', 'mapping', 'redrive'] as const);
    await processes.isUp(role);
    await wait(random.between(50, 400));
    const how = random.next();
    if (how < 0.5) {
      // The gate that sees the point kills the process then and there.
      const wasThere = await points.killAtOne(role, wait(patience));
      if (wasThere) kills.atPoints += 1;
      else processes.kill(role);
    } else if (how < 0.85) processes.kill(role);
    else {
      kills.frozen += 1;
      if (random.chance(0.5)) processes.kill('mapping');
      let first = true;
      await processes.freeze(role, async () => {
        // What it held when it stood still is no longer its own when it goes on.
        if (first) passLeases();
        first = false;
        await wait(random.between(300, 900));
      });
    }
    kills[role] += 1;
    onKill(number);
    if (random.chance(0.4)) passLeases();
  }
  return kills;
}
