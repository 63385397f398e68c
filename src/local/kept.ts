/** The folder of a run whose data is kept for the next one. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './running.ts';

export type Kept = {
  folder: string;
  /** What the run is called on servers that outlive it: the same each time. */
  run: string;
  release(): void;
};

/** Throws while another run uses the folder: two would write over each other. */
export function openKept(folder: string): Kept {
  mkdirSync(folder, { recursive: true });
  const lock = join(folder, 'lock');
  takeLock(folder, lock);
  const name = join(folder, 'run');
  if (!existsSync(name)) writeFileSync(name, newRun());
  return { folder, run: readFileSync(name, 'utf8'), release: () => rmSync(lock, { force: true }) };
}

export const newRun = () => `sluice-${randomUUID().slice(0, 8)}`;

function takeLock(folder: string, lock: string): void {
  try {
    writeFileSync(lock, `${process.pid}`, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = Number(readFileSync(lock, 'utf8'));
    if (holder !== process.pid && isAlive(holder))
      throw new Error(
        `${folder} is in use by process ${holder}. Stop it, or name another folder: --keep FOLDER.`,
      );
    writeFileSync(lock, `${process.pid}`); // whoever held it was killed
  }
}
