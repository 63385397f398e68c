/** A Redis cluster of its own for a test file: three nodes with a third of the slots each. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { RedisOptions } from 'iovalkey';
import { freePorts } from '../../servers/ports.ts';
import { startRedis } from './redis.ts';

type Redis = Awaited<ReturnType<typeof startRedis>>;
export type Node = Redis & { id: string };

const ranges = [
  [0, 5_460],
  [5_461, 10_922],
  [10_923, 16_383],
] as const;

const options = (folder: string, busPort: number) => [
  ...['--dir', folder, '--cluster-config-file', `${busPort}.conf`],
  ...['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`],
  // A node is taken for dead after a second. As on ElastiCache, the others go on without its slots.
  ...['--cluster-node-timeout', '1000', '--cluster-require-full-coverage', 'no'],
];

/** `replica`: the first node has one that takes its place. `more` and `account` as for one server. */
export async function startCluster({
  replica = false,
  more = [] as readonly string[],
  account = {} as RedisOptions,
} = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'redis-cluster-'));
  const busPorts = await freePorts(ranges.length + (replica ? 1 : 0));
  const servers = await Promise.all(
    busPorts.map((busPort) => startRedis([...options(folder, busPort), ...more], account)),
  );
  const nodes = await Promise.all(
    servers.map(async (server): Promise<Node> => Object.assign(server, { id: await idOf(server) })),
  );
  const [first, ...others] = nodes as [Node, ...Node[]];
  for (const [index, range] of ranges.entries()) {
    await nodes[index]?.raw.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    await nodes[index]?.raw.call('CLUSTER', 'ADDSLOTSRANGE', ...range);
  }
  for (const [index, { port }] of others.entries())
    await first.raw.call('CLUSTER', 'MEET', '127.0.0.1', port, busPorts[index + 1] ?? 0);
  const cluster = {
    url: `redis+cluster://127.0.0.1:${first.port}`,
    nodes,
    /** Each node that is there knows all of them, and has every slot answered for. */
    async whole(): Promise<void> {
      for (const { raw } of nodes)
        await until(
          async () =>
            isWhole(await known(raw), nodes.length) &&
            (await raw.cluster('INFO')).includes('cluster_state:ok'),
        );
    },
    /** The node that answers for a key, of the three that began. */
    async nodeOf(key: string): Promise<Node> {
      const slot = await first.raw.cluster('KEYSLOT', key);
      return nodes[ranges.findIndex(([, last]) => slot <= last)] ?? first;
    },
    /** All keys that are held anywhere. */
    async keys(): Promise<string[]> {
      return (await Promise.all(nodes.map(({ raw }) => raw.keys('*')))).flat().sort();
    },
    async stop(): Promise<void> {
      await Promise.all(nodes.map((node) => node.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
  if (replica) {
    const last = nodes.at(-1) ?? first;
    await until(async () => (await known(last.raw)).includes(first.id));
    await last.raw.call('CLUSTER', 'REPLICATE', first.id);
    await until(async () => (await last.raw.info('replication')).includes('master_link_status:up'));
  }
  await cluster.whole();
  return cluster;
}

/** Moves a slot with all its keys, as `redis-cli --cluster reshard` does; `midway` is called between. */
export async function moveSlot(slot: number, from: Node, to: Node, midway: () => Promise<void>) {
  await to.raw.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
  await from.raw.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
  await midway();
  const keys = (await from.raw.call('CLUSTER', 'GETKEYSINSLOT', slot, 1_000)) as string[];
  if (keys.length > 0)
    await from.raw.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'REPLACE', 'KEYS', ...keys);
  await midway();
  for (const { raw } of [to, from]) await raw.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
}

const idOf = async ({ raw }: Redis) => (await raw.call('CLUSTER', 'MYID')) as string;
const known = async (raw: Redis['raw']) => (await raw.call('CLUSTER', 'NODES')) as string;

function isWhole(text: string, count: number): boolean {
  const lines = text.trim().split('\n');
  return lines.length === count && lines.every((line) => !/fail|handshake|disconnected/.test(line));
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; !(await holds()); await wait(50))
    if (Date.now() > end) throw new Error('The cluster does not come together.');
}
