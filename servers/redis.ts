/** Redis alone, and as a cluster of three. */
import { Redis } from 'iovalkey';
import type { Server } from './server.ts';

const bare = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
const slots = 16_384;

export const redis: Server = {
  title: 'Redis',
  ports: 1,
  endpoint: ([port]) => `redis://127.0.0.1:${port}`,
  async prepare(tools) {
    const program = await tools.redis();
    return ({ ports: [port] }) => [{ program, args: [...bare, '--port', String(port)] }];
  },
  isHealthy: ([port = 0]) => asked(port, async (node) => (await node.ping()) === 'PONG'),
};

/** Three nodes, and three ports on which they talk among themselves. */
export const redisCluster: Server = {
  title: 'Redis cluster',
  ports: 6,
  endpoint: ([port]) => `redis://127.0.0.1:${port}`,
  async prepare(tools) {
    const program = await tools.redis();
    return ({ ports }) =>
      nodesAt(ports).map(({ port, busPort }) => ({
        program,
        args: [
          ...bare,
          ...['--port', String(port), '--cluster-port', String(busPort)],
          ...['--cluster-enabled', 'yes', '--cluster-config-file', `nodes-${port}.conf`],
        ],
      }));
  },
  async isHealthy(ports) {
    const up = await Promise.all(
      nodesAt(ports).map(({ port }) => asked(port, async (node) => (await node.ping()) === 'PONG')),
    );
    return up.every(Boolean);
  },
  async settle(ports) {
    const nodes = nodesAt(ports);
    for (const [index, { port }] of nodes.entries())
      await asked(port, async (node) => {
        const first = Math.ceil((slots * index) / nodes.length);
        const last = Math.ceil((slots * (index + 1)) / nodes.length) - 1;
        // Two nodes of one epoch would have to agree first whose slots they are.
        await node.call('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
        await node.call('CLUSTER', 'ADDSLOTSRANGE', String(first), String(last));
        for (const other of nodes.slice(0, index))
          await node.call('CLUSTER', 'MEET', '127.0.0.1', String(other.port), String(other.busPort));
        return true;
      });
  },
  isSettled: async (ports) => {
    const states = await Promise.all(
      nodesAt(ports).map(({ port }) =>
        asked(port, async (node) => /cluster_state:ok.*known_nodes:3/s.test(await node.cluster('INFO'))),
      ),
    );
    return states.every(Boolean);
  },
};

function nodesAt(ports: readonly number[]) {
  return ports.slice(0, 3).map((port, index) => ({ port, busPort: ports[index + 3] ?? 0 }));
}

/** A question on a connection of its own; false where nobody answers. */
async function asked(port: number, ask: (node: Redis) => Promise<boolean>): Promise<boolean> {
  const options = { maxRetriesPerRequest: 0, commandTimeout: 2_000, retryStrategy: () => null };
  const node = new Redis(port, '127.0.0.1', options);
  node.on('error', () => {}); // the answer tells
  try {
    return await ask(node);
  } catch {
    return false;
  } finally {
    node.disconnect();
  }
}
