/** The child processes: each role has one that works, and one that is ready to take over when that one is killed. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mailMilliseconds } from '../mappings.ts';
import type { Birth, FunctionName, Role } from './messages.ts';
import { type Surroundings, startWorker, type Worker } from './worker.ts';

export type Processes = ReturnType<typeof startProcesses>;

type Parts = {
  birth: Omit<Birth, 'role' | 'ahead'>;
  surround(role: Role, die: () => void): Promise<Surroundings>;
  ahead(): number;
  /** Told of a process that ended though nobody killed it, with its last words. */
  onExit(error: Error): void;
};

/** How long a function has, as its Lambda's timeout, milliseconds. */
const functionMilliseconds = 20_000;

const remainingOf = (name: FunctionName) => (name === 'mail' ? mailMilliseconds : functionMilliseconds);

export function startProcesses({ birth, surround, ahead, onExit }: Parts) {
  const roles = new Map<Role, { working: Worker; next: Worker }>();
  const alive = new Set<Worker>();
  let stopping = false;
  // What goes wrong in a child that is about to be killed is of interest only to whoever looks for it.
  const logFile = join(birth.folder, 'children.log');
  const log = openSync(logFile, 'a');

  function start(role: Role): Worker {
    const worker: Worker = startWorker({
      birth: { ...birth, role, ahead: ahead() },
      async surround(die) {
        const { environment, close } = await surround(role, die);
        // They come up in half the time where they find what others of them have compiled.
        return { environment: { ...environment, NODE_COMPILE_CACHE: join(birth.folder, 'compiled') }, close };
      },
      log,
      onEnd(wasKilled) {
        alive.delete(worker);
        if (stopping) return;
        if (!wasKilled) onExit(new Error(`a process for ${role} ended by itself:\n${lastLines(logFile)}`));
        else if (roles.get(role)?.working === worker) replace(role);
      },
    });
    alive.add(worker);
    return worker;
  }

  function replace(role: Role): void {
    const next = roles.get(role)?.next ?? start(role);
    roles.set(role, { working: next, next: start(role) });
    // Two that read the same stream would heal each other: only the one in charge begins.
    if (role === 'mapping') next.ready.then(() => next.tell({ type: 'begin' })).catch(() => {});
  }

  const workingAs = (role: Role) => (roles.get(role) as { working: Worker }).working;

  for (const role of ['functions', 'redrive', 'mapping'] as const) replace(role);

  return {
    /** Rejects with `Died` where the process does not live to answer. */
    invoke: (role: 'functions' | 'redrive', name: FunctionName, event: unknown) =>
      workingAs(role).ask(
        (id) => ({ type: 'invoke', id, name, event, remaining: remainingOf(name) }),
        remainingOf(name),
      ),
    /** Settles when the mappings have brought all there is through the functions. */
    drain: () => workingAs('mapping').ask((id) => ({ type: 'drain', id })),
    /** Whether no function is at work, for a mapping that is gone either. */
    isIdle: () => [...alive].every((worker) => worker.isIdle()),
    tellTime() {
      for (const worker of alive) worker.tell({ type: 'ahead', milliseconds: ahead() });
    },
    /** Settles when the role's process has come up. */
    async isUp(role: Role): Promise<void> {
      await workingAs(role).ready.catch(() => {});
    },
    /** As the kernel does it when memory runs out: at once, in the midst of whatever it does. */
    kill: (role: Role) => workingAs(role).kill(),
    /**
     * It stands still, while another takes its place, and goes on when that one has done its work: so a function looks
     * that was believed to be dead. Then it ends. Says whether it did.
     */
    async freeze(
      role: Role,
      meanwhile: () => Promise<unknown>,
      after: () => Promise<unknown>,
    ): Promise<boolean> {
      const frozen = workingAs(role);
      if (!frozen.isAlive()) return false;
      frozen.signal('SIGSTOP');
      replace(role);
      frozen.abandon();
      await meanwhile();
      frozen.signal('SIGCONT');
      await after();
      await frozen.kill();
      return true;
    },
    async stop(): Promise<void> {
      stopping = true;
      await Promise.all([...alive].map((worker) => worker.kill()));
      closeSync(log);
    },
  };
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-12).join('\n');
}
