/** The folder of a run whose data is kept for the next one. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
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
  makeFolder(folder);
  const lock = join(folder, 'lock');
  takeLock(folder, lock);
  const name = join(folder, 'run');
  if (!existsSync(name)) writeFileSync(name, newRun());
  return { folder, run: readFileSync(name, 'utf8'), release: () => rmSync(lock, { force: true }) };
}

/** Only the last part of the path is made: a misspelt beginning is an error, not a new tree of folders. */
function makeFolder(folder: string): void {
  if (existsSync(folder) && statSync(folder).isDirectory()) return;
  try {
    mkdirSync(folder);
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(`--keep needs a folder, and ${folder} cannot be one: ${message}`, { cause });
  }
}

export const newRun = () => `sluice-${randomUUID().slice(0, 8)}`;

function takeLock(folder: string, lock: string): void {
  try {
    writeFileSync(lock, `${process.pid}`, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = Number(readFileSync(lock, 'utf8'));
    if (holder > 0 && holder !== process.pid && isAlive(holder))
      throw new Error(
        `${folder} is in use by process ${holder}. Stop it, or name another folder: --keep FOLDER. ` +
          `If that process is no Sluice, remove ${lock}.`,
      );
    writeFileSync(lock, `${process.pid}`); // whoever held it was killed
  }
}
