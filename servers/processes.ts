/** Processes that outlive us, and are known again later. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from './server.ts';

/** The kernel gives a number again; when the process began tells them apart. */
export type Started = { pid: number; began: string };

/** Starts it in a process group of its own. Its end, should it come while we are there, is told by `ended`. */
export function startDetached(command: Command, folder: string, log: string) {
  const file = openSync(log, 'a');
  const child = spawn(command.program, command.args, {
    cwd: command.cwd ?? folder,
    env: { ...process.env, ...command.environment },
    detached: true,
    stdio: ['ignore', file, file],
  });
  closeSync(file);
  child.unref();
  let end: string | undefined;
  child.on('error', (error) => (end = error.message));
  child.on('exit', (status, signal) => (end ??= `it ended with ${signal ?? `status ${status}`}`));
  return { started: startedHere(child.pid ?? 0), ended: () => end };
}

export function startedHere(pid: number): Started {
  return { pid, began: beganAt(pid) ?? '' };
}

export function isRunning({ pid, began }: Started): boolean {
  return pid > 0 && beganAt(pid) === began;
}

/** Ends them with all that they have started; those that do not go are killed. */
export async function end(all: readonly Started[], seconds: number): Promise<void> {
  const running = all.filter(isRunning);
  for (const { pid } of running) signal(pid, 'SIGTERM');
  for (const until = Date.now() + seconds * 1000; Date.now() < until; await wait(50))
    if (!running.some(isRunning)) return;
  for (const { pid } of running.filter(isRunning)) signal(pid, 'SIGKILL');
  while (running.some(isRunning)) await wait(20);
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Nothing where there is none, or one that is dead and not yet taken away. See proc_pid_stat(5). */
function beganAt(pid: number): string | undefined {
  try {
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return state === 'Z' || state === 'X' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}
