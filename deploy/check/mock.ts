/** The mock of AWS: MiniStack on loopback, with each function's own role enforced. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { root } from './processes.ts';
import { region, sealed } from './sealed.ts';

/** What the check leaves behind, for reading. */
export const folder = join(root, '.sluice/deploy-check');

export type Mock = {
  url: string;
  environment: Record<string, string>;
  /** What roles were refused, a line each. */
  denials(): string[];
  /** The mails that it was given to send. */
  mails(): Promise<{ To: string[]; Subject: string }[]>;
  /** The bodies of all that waits in its queues, by the queue's name. */
  messages(): Promise<Record<string, string[]>>;
  stop(): Promise<void>;
};

const startSeconds = 60;

export async function startMock(python: string, signal: AbortSignal): Promise<Mock> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const environment = sealed(process.env, url);
  // Below the project, so that functions find its AWS SDK, which Lambda brings, above them.
  const temporary = join(folder, 'tmp');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  writeFileSync(join(temporary, 'package.json'), '{"type":"commonjs"}\n');
  const log = join(folder, 'ministack.log');
  const file = openSync(log, 'w');
  const child = spawn(python, ['-u', join(import.meta.dirname, 'launch.py')], {
    cwd: folder,
    env: {
      ...environment,
      AUTH: 'true',
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      MINISTACK_REGION: region,
      GATEWAY_PORT: String(port),
      TMPDIR: temporary,
      PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`, // its functions run on this Node
    },
    stdio: ['pipe', file, file],
  });
  closeSync(file);
  const ended = once(child, 'exit');
  const stop = async () => {
    child.stdin?.end(); // it ends with that, and takes its functions along
    await ended;
    rmSync(temporary, { recursive: true, force: true });
  };
  const asked = async (path: string): Promise<{ messages: object }> =>
    (await fetch(`${url}/_ministack/${path}`)).json() as Promise<{ messages: object }>;
  for (const end = Date.now() + startSeconds * 1000; ; await wait(100)) {
    if (child.exitCode !== null || signal.aborted || Date.now() > end) {
      await stop();
      throw new Error(`MiniStack did not start; its log: ${log}`);
    }
    if (await asked('health').then(Boolean, () => false)) break;
  }
  return {
    url,
    environment,
    denials: () => readFileSync(log, 'utf8').split('\n').filter(isDenial).map(described),
    async mails() {
      const { messages } = await asked('ses/messages');
      return Object.values(messages).flat() as { To: string[]; Subject: string }[];
    },
    async messages() {
      const { messages } = await asked('sqs/messages');
      const queues = Object.values(messages).flatMap((regions) => Object.values(Object(regions)));
      return Object.fromEntries(
        queues.flatMap((urls) =>
          Object.entries(urls as Record<string, { Body: string }[]>).map(([queue, waiting]) => [
            queue.slice(queue.lastIndexOf('/') + 1),
            waiting.map(({ Body }) => Body),
          ]),
        ),
      );
    },
    stop,
  };
}

function isDenial(line: string): boolean {
  return line.startsWith('{"denied"');
}

/** Who by its role's session: `…/sluice-check-MailRole-…/sluice-check-mail`. */
function described(line: string): string {
  const { denied, on, by } = JSON.parse(line) as Record<'denied' | 'on' | 'by', string>;
  return `${by.slice(by.lastIndexOf('/') + 1)} may not ${denied} on ${on}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
