/** The child processes: each role has one that works, and one that is ready to take over when that one is killed. */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Birth, FromChild, FunctionName, Role, ToChild } from './messages.ts';

/** The process died before it had answered: on Lambda, "Runtime exited". */
class Died extends Error {
  override name = 'Died';
}

export type Processes = ReturnType<typeof startProcesses>;

type Waiting = { resolve(answer: unknown): void; reject(error: Error): void };
type Worker = {
  child: ChildProcess;
  /** By us; whoever ends otherwise was not meant to. */
  wasKilled: boolean;
  ready: Promise<void>;
  waiting: Map<number, Waiting>;
  ended: Promise<void>;
};

type Parts = {
  birth: Omit<Birth, 'role' | 'ahead'>;
  /** Each role reaches the services through gates of its own. */
  environment(role: Role): NodeJS.ProcessEnv;
  ahead(): number;
  /** Told of a process that ended though nobody killed it, with its last words. */
  onExit(error: Error): void;
};

const program = new URL(`./child${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url);

/** How long a function has, as its Lambda's timeout, milliseconds. */
const functionMilliseconds = 20_000;

export function startProcesses({ birth, environment, ahead, onExit }: Parts) {
  const workers = new Map<Role, { working: Worker; next: Worker }>();
  const alive = new Set<Worker>();
  let ids = 0;
  let stopping = false;
  // What goes wrong in a child that is about to be killed is of interest only to whoever looks for it.
  const logFile = join(birth.folder, 'children.log');
  const log = openSync(logFile, 'a');

  function start(role: Role): Worker {
    const child = fork(program, [JSON.stringify({ ...birth, role, ahead: ahead() } satisfies Birth)], {
      // They come up in half the time where they find what others of them have compiled.
      env: { ...environment(role), NODE_COMPILE_CACHE: join(birth.folder, 'compiled') },
      stdio: ['ignore', log, log, 'ipc'],
    });
    const ready = Promise.withResolvers<void>();
    const waiting = new Map<number, Waiting>();
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const worker: Worker = { child, wasKilled: false, ready: ready.promise, waiting, ended };
    ready.promise.catch(() => {});
    child.on('message', (message: FromChild) => {
      if (message.type === 'ready') return ready.resolve();
      const one = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.type === 'answered') one?.resolve(message.answer);
      else one?.reject(new Error(message.message));
    });
    child.on('error', () => {}); // its end is told by `exit`
    child.once('exit', () => {
      alive.delete(worker);
      ready.reject(new Died(`a process for ${role} ended before it was ready`));
      for (const one of waiting.values()) one.reject(new Died('Runtime exited'));
      waiting.clear();
      if (stopping) return;
      if (!worker.wasKilled)
        onExit(
          new Error(`a process for ${role} ended by itself:\n${lastLines(readFileSync(logFile, 'utf8'))}`),
        );
      else if (workers.get(role)?.working === worker) replace(role);
    });
    alive.add(worker);
    return worker;
  }

  function replace(role: Role): void {
    const next = workers.get(role)?.next ?? start(role);
    workers.set(role, { working: next, next: start(role) });
    next.ready.then(() => tell(next, { type: 'begin' })).catch(() => {});
  }

  function tell(worker: Worker, message: ToChild): void {
    if (worker.child.connected) worker.child.send(message, () => {});
  }

  async function ask(role: Role, message: (id: number) => ToChild): Promise<unknown> {
    const { working } = workers.get(role) as { working: Worker };
    await working.ready;
    if (!alive.has(working)) throw new Died('Runtime exited');
    const id = ++ids;
    return new Promise((resolve, reject) => {
      working.waiting.set(id, { resolve, reject });
      tell(working, message(id));
    });
  }

  function end(worker: Worker): void {
    worker.wasKilled = true;
    worker.child.kill('SIGKILL');
  }

  for (const role of ['functions', 'redrive', 'mapping'] as const) replace(role);

  return {
    invoke: (role: 'functions' | 'redrive', name: FunctionName, event: unknown) =>
      ask(role, (id) => ({ type: 'invoke', id, name, event, remaining: functionMilliseconds })),
    /** Settles when the mappings have brought all there is through the functions. */
    drain: () => ask('mapping', (id) => ({ type: 'drain', id })),
    /** Whether no function is at work, for a mapping that is gone either. */
    isIdle: () => [...alive].every(({ waiting }) => waiting.size === 0),
    tellTime() {
      for (const worker of alive) tell(worker, { type: 'ahead', milliseconds: ahead() });
    },
    /** Settles when the role's process has come up. */
    async isUp(role: Role): Promise<void> {
      await workers.get(role)?.working.ready.catch(() => {});
    },
    /** As the kernel does it when memory runs out: at once, in the midst of whatever it does. */
    kill(role: Role): void {
      const working = workers.get(role)?.working;
      if (working !== undefined) end(working);
    },
    /**
     * It stands still, while another takes its place, and goes on when that one has done its work: so a function looks
     * that was believed to be dead. Then it ends.
     */
    async freeze(role: Role, wait: () => Promise<unknown>): Promise<void> {
      const frozen = workers.get(role)?.working;
      if (frozen === undefined || !alive.has(frozen)) return;
      frozen.child.kill('SIGSTOP');
      replace(role);
      for (const one of frozen.waiting.values()) one.reject(new Died('Task timed out'));
      await wait();
      frozen.child.kill('SIGCONT');
      await wait();
      end(frozen);
      await frozen.ended;
    },
    async stop(): Promise<void> {
      stopping = true;
      for (const worker of alive) end(worker);
      await Promise.all([...alive].map(({ ended }) => ended));
      closeSync(log);
    },
  };
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-12).join('\n');
}
