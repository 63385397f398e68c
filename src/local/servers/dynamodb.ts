import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type Child, runChild } from './dynamodb/child.ts';

type Options = {
  /** Where it listens if that is free; the answer's `url` says where it does. */
  port?: number;
  /** Keeps the tables over a restart; without it they live in memory. */
  file?: string | undefined;
  /** Told when the server ends though nobody stopped it. */
  onExit?: (error: Error) => void;
};
type DynamoDB = { url: string; stop(): Promise<void> };

const TRIES = 5;
const patience = 10_000; // it takes 30 ms

/** DynamoDB with streams on loopback: the dynoxide binary, as a child that never outlives this process. */
export async function startDynamoDB({ port = 0, file, onExit = report }: Options = {}): Promise<DynamoDB> {
  const binary = findBinary();
  for (let attempt = 1; ; attempt++) {
    const tried = port > 0 && attempt === 1 ? port : await freePort();
    const command = [binary, 'serve', '--host', '127.0.0.1', '--port', String(tried)];
    const child = runChild(file === undefined ? command : [...command, '--db-path', file]);
    if (await isUp(child, `http://127.0.0.1:${tried}`)) {
      return running(child, `http://127.0.0.1:${tried}`, onExit);
    }
    const error = await describeEnd(child);
    if (!child.said().includes('already in use') || attempt === TRIES) throw error;
  }
}

function running(child: Child, url: string, onExit: (error: Error) => void): DynamoDB {
  let stopping = false;
  child.ended.then(async () => {
    if (!stopping) onExit(await describeEnd(child));
  });
  return {
    url,
    stop: () => {
      stopping = true;
      return child.stop();
    },
  };
}

function findBinary(): string {
  try {
    return createRequire(import.meta.url).resolve('@dynoxide/linux-x64/dynoxide');
  } catch {
    throw new Error(
      `[dynamodb] the embedded DynamoDB (@dynoxide/linux-x64) is not installed here (${process.platform}-${process.arch}): ` +
        'start DynamoDB Local or another DynamoDB endpoint and name it in SLUICE_DYNAMODB_ENDPOINT',
    );
  }
}

/** False once it ended. Its own word comes first: another server may be answering at that port. */
async function isUp(child: Child, url: string): Promise<boolean> {
  const ended = child.ended.then(() => true);
  const end = Date.now() + patience;
  while (!(await Promise.race([ended, wait(5, false)]))) {
    if (child.said().includes('listening on') && (await answers(url))) return true;
    if (Date.now() < end) continue;
    await child.stop();
    throw new Error(
      `[dynamodb] dynoxide does not answer at ${url}. Can this machine reach its own loopback?`,
    );
  }
  return false;
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

async function describeEnd(child: Child): Promise<Error> {
  return new Error(`[dynamodb] dynoxide ended with status ${await child.ended}: ${child.said()}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}

const report = (error: Error) => console.error(error.message);
