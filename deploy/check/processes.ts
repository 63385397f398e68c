/** Programs that the check runs; none outlives it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export type Ran = { status: number | null; output: string };

/** Both streams as one text. Rejects when the program is not there, or the check was interrupted. */
export function run(
  command: string,
  args: readonly string[],
  { env, signal }: { env?: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', reject).on('close', (status) => resolve({ status, output }));
  });
}
