/** What was started for this checkout, written down so that a later command finds it. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isRunning, type Started } from './processes.ts';
import type { Command } from './server.ts';

export type Kept = {
  ports: number[];
  processes: Started[];
  /** How each of them was started. */
  commands: Command[];
};

export type State = {
  read(): Record<string, Kept>;
  write(name: string, kept: Kept | undefined): void;
};

export function openState(run: string): State {
  const file = join(run, 'state.json');
  const read = (): Record<string, Kept> => {
    try {
      return JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw error;
    }
  };
  return {
    read,
    write(name, kept) {
      const { [name]: _, ...others } = read();
      mkdirSync(run, { recursive: true });
      writeFileSync(`${file}.new`, JSON.stringify(kept === undefined ? others : { ...others, [name]: kept }));
      renameSync(`${file}.new`, file);
    },
  };
}

/** One command at a time in the cache: a second one waits for the first. */
export async function alone<T>(
  cache: string,
  me: Started,
  say: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const lock = join(cache, 'lock');
  mkdirSync(cache, { recursive: true });
  for (let told = false; !taken(lock, me); await wait(200)) {
    if (!told) say('Another "npm run servers" is at work; waiting for it…');
    told = true;
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function taken(lock: string, me: Started): boolean {
  try {
    writeFileSync(lock, JSON.stringify(me), { flag: 'wx' });
    return true;
  } catch {
    try {
      if (!isRunning(JSON.parse(readFileSync(lock, 'utf8')))) rmSync(lock, { force: true });
    } catch {
      // it was given back, or is being written
    }
    return false;
  }
}
