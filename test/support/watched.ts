/** A server as a child process that can be killed and frozen, and that never outlives us. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Command } from '../../servers/server.ts';

/** Ends the server when its own stdin closes, because we are gone however that came about. */
const watchdog = '"$@" & echo "server $!"; read -r how; kill -${how:-KILL} $!; wait $!';

export type Watched = Awaited<ReturnType<typeof startWatched>>;

/** Settles as soon as it has said so on stdout. One that ends without being told to is not noticed. */
export async function startWatched({ program, args, cwd }: Command, hasSaid: (text: string) => boolean) {
  const shell = spawn('/bin/sh', ['-c', watchdog, 'sh', program, ...args], {
    ...(cwd !== undefined && { cwd }),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let said = '';
  for await (const text of shell.stdout.iterator({ destroyOnReturn: false })) {
    said += text;
    if (hasSaid(said)) break;
  }
  shell.stdout.resume();
  return {
    pid: Number(/server (\d+)/.exec(said)?.[1]),
    isUp: () => shell.exitCode === null,
    async end(how: 'TERM' | 'KILL' = 'KILL'): Promise<void> {
      if (shell.exitCode !== null) return;
      if (!shell.stdin.writableEnded) shell.stdin.end(`${how}\n`);
      await once(shell, 'exit');
    },
  };
}
