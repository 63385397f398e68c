/** A server that `npm run servers` has started, to be killed, frozen, and started again with what it keeps: Redis nothing. */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { placesIn } from './places.ts';
import { isRunning, signal, startDetached } from './processes.ts';
import { openState } from './state.ts';

export type Attackable = {
  /** It is gone at once, in the midst of whatever it does. */
  kill(): Promise<void>;
  /** It begins to come up again. */
  start(): void;
  freeze(): void;
  thaw(): void;
};

/** The one that listens there; nothing where it is none of ours, or several processes. */
export function attackable(endpoint: string, environment: NodeJS.ProcessEnv): Attackable | undefined {
  const { run } = placesIn(environment);
  const state = openState(run);
  const { hostname, port } = new URL(endpoint);
  const [name, kept] = Object.entries(state.read()).find(([, { ports }]) => ports[0] === Number(port)) ?? [];
  const [command, ...others] = kept?.commands ?? [];
  const [started] = kept?.processes ?? [];
  const isHere = hostname === '127.0.0.1' || hostname === 'localhost';
  if (!isHere || name === undefined || kept === undefined || command === undefined || started === undefined)
    return undefined;
  if (others.length > 0 || !isRunning(started)) return undefined;
  let running = started;
  const folder = join(run, name);
  return {
    async kill() {
      signal(running.pid, 'SIGKILL');
      while (isRunning(running)) await wait(10);
    },
    start() {
      running = startDetached(command, folder, join(folder, 'log')).started;
      state.write(name, { ...kept, processes: [running] });
    },
    freeze: () => signal(running.pid, 'SIGSTOP'),
    thaw: () => signal(running.pid, 'SIGCONT'),
  };
}
