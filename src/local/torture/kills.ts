/** Kills processes, at random moments and at chosen points, and lets time pass in between. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Chance } from '../play/step.ts';
import type { Role } from './messages.ts';
import type { Points } from './points.ts';
import type { Processes } from './processes.ts';
import type { openServers, ServerAttacks } from './servers.ts';

export type Kills = Record<Role, number> & { atPoints: number; frozen: number; servers: ServerAttacks };

type Parts = {
  processes: Processes;
  points: Points;
  servers: ReturnType<typeof openServers>;
  random: Chance;
  /** Settles when the functions have answered something since it was called last. */
  progress(): Promise<void>;
  /** Puts the clock of all processes forward, past every lease. */
  passLeases(): void;
  onKill(count: number): void;
};

/** How long a chosen point is waited for, milliseconds; some are only reached where something has failed before. */
const patience = 3_000;

export async function killAll(count: number, parts: Parts): Promise<Kills> {
  const { processes, points, servers, random, progress, passLeases, onKill } = parts;
  const kills: Kills = {
    functions: 0,
    mapping: 0,
    redrive: 0,
    atPoints: 0,
    frozen: 0,
    servers: servers.attacks,
  };
  for (let number = 1; number <= count; number++) {
    const role = random.pick(['functions', 'functions', 'mapping', 'redrive'] as const);
    servers.attackSome();
    // Whoever is killed before it has done anything shows nothing.
    await processes.isUp(role);
    await progress();
    await wait(random.between(0, 400));
    const how = random.next();
    if (how < 0.5) {
      // The gate that sees the point kills the process then and there.
      const wasThere = await points.killAtOne(role, wait(patience));
      if (wasThere) kills.atPoints += 1;
      else await processes.kill(role);
    } else if (how < 0.85) await processes.kill(role);
    else {
      if (role !== 'mapping' && random.chance(0.5)) await processes.kill('mapping');
      const meanwhile = async () => {
        // What it held when it stood still is no longer its own when it goes on.
        passLeases();
        await wait(random.between(300, 900));
      };
      const stoodStill = await processes.freeze(role, meanwhile, () => wait(random.between(300, 900)));
      if (stoodStill) kills.frozen += 1;
      else await processes.kill(role);
    }
    kills[role] += 1;
    onKill(number);
    if (random.chance(0.4)) passLeases();
  }
  await servers.end();
  return kills;
}
