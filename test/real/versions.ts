/** What each real server says of itself; the others do not say. */
import { Client } from '@opensearch-project/opensearch';
import { Cluster, Redis } from 'iovalkey';

export const versionOf: Partial<Record<string, (endpoint: string) => Promise<string | undefined>>> = {
  async opensearch(node) {
    const client = new Client({ node });
    const { body } = await client.info();
    await client.close();
    return body.version.number;
  },
  async redis(endpoint) {
    const client = new Redis(endpoint);
    const told = await client.info('server');
    client.disconnect();
    return redisVersion(told);
  },
  async 'redis-cluster'(endpoint) {
    const { hostname, port } = new URL(endpoint);
    const cluster = new Cluster([{ host: hostname, port: Number(port) }]);
    const told = await cluster.info('server');
    cluster.disconnect();
    return redisVersion(told);
  },
};

function redisVersion(told: string): string | undefined {
  return /^(?:valkey|redis)_version:(\S+)/m.exec(told)?.[1];
}
