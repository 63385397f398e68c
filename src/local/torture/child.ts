/** A process of the torture: it is told what to be, and is killed without warning. */
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { Context } from 'aws-lambda';
import { failuresIn } from '../home.ts';
import { type Batch, type Mappings, settle, startMappings } from '../mappings.ts';
import type { Birth, FromChild, FunctionName, Role, ToChild } from './messages.ts';

type Handler = (event: unknown, context: Pick<Context, 'getRemainingTimeInMillis'>) => Promise<unknown>;

const functionsOf: Record<Role, readonly FunctionName[]> = {
  functions: ['project', 'notify', 'mail', 'feedback'],
  redrive: ['redrive', 'mail'],
  mapping: [],
};

/** After a long attack there is much that waits. */
const drainMilliseconds = 300_000;

const birth = JSON.parse(process.argv[2] ?? '{}') as Birth;
let ahead = birth.ahead;

// Leases and waits last minutes. The clock is put forward now and then, so that they run out within seconds.
const clock = Date.now;
Date.now = () => clock() + ahead;

const handlers = new Map<FunctionName, Handler>();
const batches: Batch[] = [];
let mappings: Mappings | undefined;

process.on('disconnect', () => process.exit());
process.on('message', (message: ToChild) => {
  switch (message.type) {
    case 'ahead':
      ahead = message.milliseconds;
      return;
    case 'begin':
      mappings = begin();
      return;
    case 'invoke':
      answer(message.id, () => invoke(message.name, message.event, message.remaining));
      return;
    case 'drain':
      answer(message.id, () => (mappings ? settle(mappings, batches, drainMilliseconds) : Promise.resolve()));
      return;
  }
});

for (const name of functionsOf[birth.role]) handlers.set(name, await load(name));
tell({ type: 'ready' });

async function load(name: FunctionName): Promise<Handler> {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const { handler } = await import(`${birth.handlers}${name}${extension}`);
  return handler;
}

async function invoke(name: FunctionName, event: unknown, remaining: number): Promise<unknown> {
  const end = performance.now() + remaining;
  const handler = handlers.get(name);
  if (handler === undefined) throw new Error(`this process has no function ${name}`);
  return handler(event, { getRemainingTimeInMillis: () => Math.max(0, Math.round(end - performance.now())) });
}

function begin(): Mappings {
  const remotely = (name: FunctionName) => async (event: unknown) => {
    const reply = await fetch(`${birth.invokeUrl}/${name}`, { method: 'POST', body: JSON.stringify(event) });
    if (!reply.ok) throw new Error(await reply.text());
    return reply.json();
  };
  return startMappings({
    handlers: { project: remotely('project'), notify: remotely('notify'), mail: remotely('mail') },
    ours: birth.ours,
    streams: new DynamoDBStreamsClient({}),
    streamArns: birth.streamArns,
    folder: birth.folder,
    failures: failuresIn(birth.folder),
    batches,
  });
}

async function answer(id: number, work: () => Promise<unknown>): Promise<void> {
  try {
    tell({ type: 'answered', id, answer: await work() });
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    tell({ type: 'failed', id, message });
  }
}

function tell(message: FromChild): void {
  process.send?.(message);
}
