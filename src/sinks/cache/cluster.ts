/** A cluster. Its address is that of any node, such as a configuration endpoint: it tells of the others. */
import { Cluster, type ClusterOptions } from 'iovalkey';
import type { Client, Commands, Told } from './commands.ts';

/** Until a cluster that nobody answers for is tried again, milliseconds. */
const retryMilliseconds = 200;

/** Moves, and tries at a node that is gone, 100 ms apart: within half a second a node is there or is not. */
const redirections = 5;

export function openCluster(url: URL, options: ClusterOptions, told: Told): Client {
  const { host, port, ...account } = startOf(url);
  const cluster = new Cluster([{ host, port }], {
    ...options,
    redisOptions: { ...account, ...options.redisOptions },
    // A certificate bears the node's name, which resolving it here would lose.
    dnsLookup: (name, done) => done(null, name),
    maxRedirections: redirections,
    clusterRetryStrategy: () => retryMilliseconds,
    // What waits in it is bounded by nothing, and grows for as long as the cluster is away.
    enableOfflineQueue: false,
  });
  let attempt: PromiseWithResolvers<void> | undefined;
  cluster.on('ready', () => {
    attempt?.resolve();
    attempt = undefined;
    told();
  });
  cluster.on('close', () => {
    attempt?.reject(new Error('no node of the cluster answers'));
    attempt = undefined;
  });
  // All there is in `error` are the nodes' own.
  cluster.on('node error', told).on('error', () => {});

  /** The end of the attempt to connect that is under way, if there is one. */
  async function connected(): Promise<void> {
    if (cluster.status === 'ready' || cluster.status === 'end') return;
    attempt ??= Promise.withResolvers();
    await attempt.promise;
  }

  return {
    async run(command) {
      const { promise: late, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(() => {
        reject(new Error('Command timed out'));
        // A frozen node closes nothing: whether another has taken its place must be asked for.
        if (cluster.status === 'ready') cluster.refreshSlotsCache();
      }, options.redisOptions?.commandTimeout);
      const answer = connected().then(() => command(cluster as Cluster & Commands));
      try {
        return await Promise.race([answer, late]);
      } finally {
        clearTimeout(timer);
        answer.catch(() => {}); // it was too late to be heard
      }
    },
    isPartly: () =>
      Promise.any(cluster.nodes('master').map((node) => node.ping())).then(
        () => true,
        () => false,
      ),
    disconnect: () => cluster.disconnect(),
  };
}

/** Where to begin, and what every node asks for. */
function startOf({ protocol, hostname, port, username, password }: URL) {
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 6379 : Number(port),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss+cluster:' && { tls: {} }),
  };
}
