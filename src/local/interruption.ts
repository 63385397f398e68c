import { readFileSync } from 'node:fs';
import { isAlive } from './running.ts';

/** When to stop: on a signal, or when whoever started us is gone, since else everything below would stay behind. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const stop = () => controller.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  // Started by bin/sluice.js on another Node: the channel closes when it ends, also when it was killed.
  process.channel?.unref();
  process.on('disconnect', stop);
  // Started by npm; without it we are meant to outlive a shell.
  if (process.env.npm_lifecycle_event !== undefined) {
    const parent = process.ppid;
    const runner = runnerAbove(parent);
    const isOrphan = () => process.ppid !== parent || (runner !== undefined && !isAlive(runner));
    setInterval(() => isOrphan() && stop(), 200).unref();
  }
  return controller.signal;
}

/**
 * npm, or one like it, among the processes from this one upwards: a shell that stays may lie between. Where there is no
 * /proc the shell gives way to what it runs.
 */
function runnerAbove(pid: number): number | undefined {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    if (/(^|[/\0 ])(npm|npx|pnpm|yarn|bun)\b/.test(command)) return pid;
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name stands in brackets, and may hold anything.
    const parent = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1]);
    return parent > 1 ? runnerAbove(parent) : undefined;
  } catch {
    return undefined;
  }
}
