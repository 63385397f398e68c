/** A Redis of its own for a test file, where the machine has the program. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis, type RedisOptions } from 'iovalkey';
import { freePort } from '../support/ports.ts';
import { programNamed } from '../support/programs.ts';

const program = programNamed('redis-server');

export const hasRedis = program !== undefined;

/** What stands before the name of a test that was left out. */
export const unlessRedis = hasRedis ? '' : ' (left out: no redis-server on this machine)';

/** Ends the server when its own stdin closes, because we are gone however that came about. */
const watchdog = '"$@" & echo "server $!"; read -r _; kill -KILL $!; wait $!';

async function runServer(port: number, more: readonly string[]) {
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const shell = spawn('/bin/sh', ['-c', watchdog, 'sh', program ?? 'redis-server', ...options, ...more], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let said = '';
  for await (const text of shell.stdout.iterator({ destroyOnReturn: false })) {
    said += text;
    if (said.includes('Ready to accept connections')) break;
  }
  shell.stdout.resume();
  return {
    pid: Number(/server (\d+)/.exec(said)?.[1]),
    isUp: () => shell.exitCode === null,
    async kill() {
      if (shell.exitCode !== null) return;
      shell.stdin.end();
      await once(shell, 'exit');
    },
  };
}

/** `more`: options of its command line; `account`: with which it lets us in. */
export async function startRedis(more: readonly string[] = [], account: RedisOptions = {}) {
  const port = await freePort();
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
    kill: () => server.kill(),
    async restart() {
      await server.kill();
      server = await runServer(port, options);
    },
    async stop() {
      raw.disconnect();
      await server.kill();
    },
  };
}
