/** Where a local run of this project is, for the commands that are given by hand while it goes. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const file = join(import.meta.dirname, '../../.sluice/running.json');

const Running = z.object({ pid: z.number(), environment: z.record(z.string(), z.string()) });

/** Says where this process's run is; gives the way to take that back. The newest run is the one that is found. */
export function announce(environment: Readonly<Record<string, string>>): () => void {
  mkdirSync(dirname(file), { recursive: true });
  // An endpoint can hold a password. A file that is there already would keep the rights that it has.
  rmSync(file, { force: true });
  writeFileSync(file, JSON.stringify({ pid: process.pid, environment }), { mode: 0o600 });
  return () => {
    if (read()?.pid === process.pid) rmSync(file, { force: true });
  };
}

/** The environment that points every client at the run that is going; nothing where none is. */
export function runningEnvironment(): Record<string, string> | undefined {
  const running = read();
  return running !== undefined && isAlive(running.pid) ? running.environment : undefined;
}

function read(): z.infer<typeof Running> | undefined {
  try {
    return Running.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined; // none has ever been, or its writing was cut off
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
