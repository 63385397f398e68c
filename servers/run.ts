/** A program that is run to its end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Its output; what it prints last is in the error when it fails. Each line is shown to `watch`. */
export async function run(
  program: string,
  args: readonly string[],
  { cwd, watch }: { cwd?: string; watch?: (line: string) => void } = {},
): Promise<string> {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      watch?.(line);
    });
  const [status] = await ended;
  if (status !== 0)
    throw new Error(
      `${[program, ...args.slice(0, 3)].join(' ')} failed: ${lines.slice(-2).join(' ').trim()}`,
    );
  return lines.join('\n');
}

/** What is run or, where it fails or is not there, nothing. */
export function tried(program: string, args: readonly string[]): Promise<string | undefined> {
  return run(program, args).catch(() => undefined);
}
