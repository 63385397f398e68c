/** One child process of the torture, behind gates of its own: whoever dies at one is the very process that came by. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Birth, FromChild, ToChild } from './messages.ts';

/** The process died before it had answered: on Lambda, "Runtime exited". */
class Died extends Error {
  override name = 'Died';
}

export type Worker = {
  /** Settles when it has come up; rejects if it is killed before. */
  ready: Promise<void>;
  isAlive(): boolean;
  /** Whether nothing is asked of it. */
  isIdle(): boolean;
  tell(message: ToChild): void;
  /** Past so many milliseconds it is killed, as Lambda does it. Rejects with `Died` if it ends without an answer. */
  ask(message: (id: number) => ToChild, milliseconds?: number): Promise<unknown>;
  /** Nobody waits for what it was asked any more. */
  abandon(): void;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Settles when it is gone. */
  kill(): Promise<void>;
};

export type Surroundings = { environment: NodeJS.ProcessEnv; close(): Promise<void> };

type Parts = {
  birth: Birth;
  /** Opens its gates. `die` is for whoever sees it at the point where it is to die. */
  surround(die: () => void): Promise<Surroundings>;
  /** The file descriptor that its output goes to. */
  log: number;
  /** Told when it is gone, and whether it was killed. */
  onEnd(wasKilled: boolean): void;
};

type Waiting = { resolve(answer: unknown): void; reject(error: Error): void };

const program = new URL(`./child${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url);

export function startWorker({ birth, surround, log, onEnd }: Parts): Worker {
  const waiting = new Map<number, Waiting>();
  const ready = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  let child: ChildProcess | undefined;
  let wasKilled = false;
  let isGone = false;
  let ids = 0;

  const kill = () => {
    wasKilled = true;
    child?.kill('SIGKILL');
    return gone.promise;
  };
  const abandon = (why = 'Task timed out') => {
    for (const one of waiting.values()) one.reject(new Died(why));
    waiting.clear();
  };
  const begun = surround(kill).then((surroundings) => {
    child = fork(program, [JSON.stringify(birth)], {
      env: surroundings.environment,
      stdio: ['ignore', log, log, 'ipc'],
    });
    child.on('message', (message: FromChild) => {
      if (message.type === 'ready') return ready.resolve();
      const one = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.type === 'answered') one?.resolve(message.answer);
      else one?.reject(new Error(message.message));
    });
    child.on('error', () => {}); // its end is told by `exit`
    child.once('exit', () => {
      isGone = true;
      ready.reject(new Died('it ended before it was ready'));
      abandon('Runtime exited');
      onEnd(wasKilled);
      gone.resolve();
      // What is under way goes on: nobody calls a request back.
      void surroundings.close();
    });
    if (wasKilled) child.kill('SIGKILL');
  });
  begun.catch((error) => ready.reject(error));
  ready.promise.catch(() => {});

  const tell = (message: ToChild) => {
    if (child?.connected) child.send(message, () => {});
  };
  return {
    ready: ready.promise,
    isAlive: () => !isGone,
    isIdle: () => waiting.size === 0,
    tell,
    async ask(message, milliseconds) {
      await ready.promise;
      if (isGone) throw new Died('Runtime exited');
      const id = ++ids;
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      waiting.set(id, { resolve, reject });
      const tooLong = milliseconds === undefined ? undefined : setTimeout(kill, milliseconds);
      tell(message(id));
      return promise.finally(() => clearTimeout(tooLong));
    },
    abandon,
    signal: (signal) => void child?.kill(signal),
    kill,
  };
}
