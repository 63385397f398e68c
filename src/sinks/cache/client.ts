/** The client of one server or of a cluster: whatever it is asked fails within seconds, and soon where nobody is. */
import { Redis, type RedisOptions } from 'iovalkey';
import type { Credentials } from '../../secret.ts';
import { openCluster } from './cluster.ts';
import { type Client, type Commands, scripts, type Told } from './commands.ts';

const common = {
  // Of either family, whichever answers: else, after each failure, the other one would be tried by itself.
  family: 0,
  familyFallback: { enabled: false },
  // Only this bounds a server that is frozen.
  commandTimeout: 1_000,
  connectTimeout: 1_000,
} satisfies RedisOptions;

export function openClient(
  endpoint: string,
  keyPrefix: string,
  credentials: Partial<Credentials>,
  told: Told,
): Client {
  const url = new URL(endpoint);
  if (url.protocol.endsWith('+cluster:'))
    return openCluster(url, { keyPrefix, scripts, redisOptions: { ...common, ...credentials } }, told);
  const redis = new Redis(endpoint, {
    ...common,
    ...credentials,
    keyPrefix,
    scripts,
    // A server that is gone fails after one try.
    maxRetriesPerRequest: 1,
    // After a failover the address leads to another server, and this connection to what is a replica now.
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
  }) as Redis & Commands;
  redis.on('error', told).on('ready', () => told()); // without a listener the process would end
  return {
    run: (command) => command(redis),
    isPartly: async () => false,
    disconnect: () => redis.disconnect(),
  };
}
