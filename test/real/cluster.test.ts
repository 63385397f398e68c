/** Redis as a cluster: whatever slot a key falls into, its scripts run where it lies. */
import { Cluster } from 'iovalkey';
import { expect, test } from 'vitest';
import { fillScript, readScript } from '../../src/sinks/cache/commands.ts';
import { withReal } from './given.ts';

function openCluster(endpoint: string): Cluster {
  const { hostname, port } = new URL(endpoint);
  return new Cluster([{ host: hostname, port: Number(port) }]);
}

withReal('redis-cluster', (endpoint) => {
  test('the scripts of the cache read and fill keys on every node', async () => {
    const cluster = openCluster(endpoint);
    const keys = Array.from({ length: 60 }, (_, index) => `cluster-test:${process.pid}:${index}`);
    for (const key of keys) {
      expect(await cluster.eval(readScript, 1, key, 'token', 10_000)).toEqual([0, 'token']);
      expect(await cluster.eval(fillScript, 1, key, 'other', 'value', 10_000)).toBe(0);
      expect(await cluster.eval(fillScript, 1, key, 'token', 'value', 10_000)).toBe(1);
      expect(await cluster.eval(readScript, 1, key, 'later', 10_000)).toEqual([1, 'value']);
    }
    const onEach = await Promise.all(cluster.nodes('master').map((node) => node.dbsize()));
    expect(onEach).toHaveLength(3);
    for (const count of onEach) expect(count).toBeGreaterThan(0);
    await Promise.all(keys.map((key) => cluster.unlink(key)));
    cluster.disconnect();
  });
});
