/** A Redis of its own for a test file, where the machine has the program. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { Redis } from 'iovalkey';

const program = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'redis-server'))
  .find(isThere);

export const hasRedis = program !== undefined;

/** What stands before the name of a test that was left out. */
export const unlessRedis = hasRedis ? '' : ' (left out: no redis-server on this machine)';

function isThere(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export async function startRedis() {
  const port = await freePort();
  const start = async () => {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn(program ?? 'redis-server', options, { stdio: ['ignore', 'pipe', 'ignore'] });
    for await (const text of child.stdout.iterator({ destroyOnReturn: false }))
      if (String(text).includes('Ready to accept connections')) break;
    child.stdout.resume();
    return child;
  };
  let child = await start();
  const raw = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null });
  raw.on('error', () => {}); // it is stopped on purpose
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    /** A client that looks past the cache. */
    raw,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    kill,
    async restart() {
      await kill();
      child = await start();
    },
    async stop() {
      raw.disconnect();
      await kill();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await once(server.close(), 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
