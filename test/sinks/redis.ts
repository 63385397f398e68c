/** A Redis of its own for a test file, where the machine has the program. */
import { Redis, type RedisOptions } from 'iovalkey';
import { freePorts } from '../../servers/ports.ts';
import { programNamed } from '../support/programs.ts';
import { startWatched } from '../support/watched.ts';

const program = programNamed('redis-server');

export const hasRedis = program !== undefined;

/** What stands before the name of a test that was left out. */
export const unlessRedis = hasRedis ? '' : ' (left out: no redis-server on this machine)';

function runServer(port: number, more: readonly string[]) {
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const command = { program: program ?? 'redis-server', args: [...options, ...more] };
  return startWatched(command, (said) => said.includes('Ready to accept connections'));
}

/** `more`: options of its command line; `account`: with which it lets us in. */
export async function startRedis(more: readonly string[] = [], account: RedisOptions = {}) {
  const [port = 0] = await freePorts(1);
  const options = account.tls === undefined ? more : [...more, '--port', '0', '--tls-port', `${port}`];
  let server = await runServer(port, options);
  const raw = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null, ...account });
  raw.on('error', () => {}); // it is stopped on purpose
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    /** A client that looks past the cache. */
    raw,
    freeze: () => process.kill(server.pid, 'SIGSTOP'),
    thaw: () => process.kill(server.pid, 'SIGCONT'),
    isUp: () => server.isUp(),
    kill: () => server.end(),
    async restart() {
      await server.end();
      server = await runServer(port, options);
    },
    async stop() {
      raw.disconnect();
      await server.end();
    },
  };
}
