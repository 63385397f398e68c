/** Real servers under torture: they are killed and stand still as well, while all else goes on. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Connections } from '../../connections.ts';
import type { Chance } from '../play/step.ts';

/** A server that may be killed, frozen, and started again with what it has kept. */
export type RealServer = {
  name: 'search' | 'cache';
  kill(): Promise<void>;
  /** It begins to come up. */
  start(): void;
  freeze(): void;
  thaw(): void;
};

/** How often which was killed, and which stood still. */
export type ServerAttacks = Record<'killed' | 'frozen', Partial<Record<RealServer['name'], number>>>;

/** How long it is gone before it begins to come up, or stands still, milliseconds: some outlast every request. */
const gone = [100, 3_000] as const;
const still = [500, 6_000] as const;
const upMilliseconds = 180_000;

/** How often one of them is attacked when a process is. */
const share = 0.3;

export function openServers(servers: readonly RealServer[], random: Chance, connections: Connections) {
  const attacks: ServerAttacks = { killed: {}, frozen: {} };
  const count = (how: keyof ServerAttacks, { name }: RealServer) => {
    attacks[how][name] = (attacks[how][name] ?? 0) + 1;
  };
  const underWay = new Map<RealServer, Promise<void>>();
  let isOver = false;

  async function attack(server: RealServer): Promise<void> {
    if (random.chance(0.5)) {
      count('frozen', server);
      server.freeze();
      await wait(random.between(...still));
      server.thaw();
      return;
    }
    count('killed', server);
    await server.kill();
    await wait(random.between(...gone));
    server.start();
    await isUp(server.name, connections);
  }

  return {
    attacks,
    /** Now and then one of them that is well is attacked; nobody waits for it. */
    attackSome(): void {
      const well = servers.filter((server) => !underWay.has(server));
      if (isOver || well.length === 0 || !random.chance(share)) return;
      const server = random.pick(well);
      const ends = attack(server);
      underWay.set(server, ends);
      ends.then(() => underWay.delete(server)).catch(() => {}); // told by `end`
    },
    /** No more of it. Settles when all of them are well. */
    async end(): Promise<void> {
      isOver = true;
      await Promise.all(underWay.values());
    },
  };
}

/** Until it has what it had: OpenSearch refuses for a while after it begins to answer. */
async function isUp(name: RealServer['name'], { search, cache }: Connections): Promise<void> {
  const ask = {
    search: () => search?.cluster.health({ wait_for_status: 'yellow', timeout: '5s' }),
    cache: () => cache?.peek('sluice'),
  }[name];
  for (const end = performance.now() + upMilliseconds; ; await wait(200)) {
    try {
      await ask();
      return;
    } catch (cause) {
      if (performance.now() > end)
        throw new Error(`The server for ${name} did not come up again after it was killed.`, { cause });
    }
  }
}
