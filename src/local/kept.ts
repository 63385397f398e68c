/** The folder of a run whose data is kept for the next one. */

import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withoutPassword } from './address.ts';
import { isAlive } from './running.ts';

export type Kept = {
  folder: string;
  /** What the run is called on servers that outlive it: the same each time. */
  run: string;
  release(): void;
};

/**
 * Throws while another run uses the folder, since two would write over each other; and where other services are named
 * than before, since the data lies half here and half there.
 */
export function openKept(folder: string, named: NamedServices): Kept {
  makeFolder(folder);
  const lock = join(folder, 'lock');
  takeLock(folder, lock);
  const release = () => rmSync(lock, { force: true });
  try {
    keepServices(folder, named);
    const name = join(folder, 'run');
    if (!existsSync(name)) writeFileSync(name, newRun());
    return { folder, run: readFileSync(name, 'utf8'), release };
  } catch (error) {
    release();
    throw error;
  }
}

const variables = ['SLUICE_DYNAMODB_ENDPOINT', 'SLUICE_SEARCH_ENDPOINT', 'SLUICE_CACHE_ENDPOINT'] as const;

/** The services that were named, instead of the stand-ins of this machine. */
type NamedServices = Readonly<Partial<Record<(typeof variables)[number], string | undefined>>>;

/** Writes down where the data lies, without any password, or refuses what is not where it was. */
function keepServices(folder: string, named: NamedServices): void {
  const file = join(folder, 'services');
  const now = variables.map((name) => `${name} ${addressOf(named[name])}`);
  // Before the first batch there is nothing to lose: a mistaken first start can be mended.
  const begun = existsSync(join(folder, 'project.json')) && existsSync(file);
  const before = begun ? readFileSync(file, 'utf8').split('\n') : now;
  const others = before.filter((line) => !now.includes(line));
  if (others.length > 0)
    throw new Error(
      `${folder} was kept with other services: ${others.map((line) => line.replace(' ', ' was ')).join(', ')}. ` +
        'Name those again, or begin with another folder: --keep FOLDER.',
    );
  writeFileSync(file, now.join('\n'));
}

const unnamed = 'not set';

function addressOf(endpoint: string | undefined): string {
  if (endpoint === undefined || endpoint === 'memory:') return unnamed;
  return withoutPassword(endpoint);
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
