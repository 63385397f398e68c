/** MiniStack and cfn-lint, in a Python environment of their own in the user's cache folder. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { interpreter } from '../../servers/python.ts';
import { type Ran, run } from './processes.ts';

/** What the check needs is not to be had here: nothing was checked. */
export class NotRun extends Error {}

const requirements = join(import.meta.dirname, 'requirements.txt');

/** Its interpreter. Made once for each set of versions. */
export async function pythonTools(
  environment: NodeJS.ProcessEnv,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const options = { env: environment, signal };
  const found = await interpreter().catch((error: Error) => {
    throw new NotRun(`${error.message}.`);
  });
  const pins = readFileSync(requirements, 'utf8').trim().split(/\s+/).join('-').replaceAll('==', '-');
  const folder = join(cacheFolder(environment), `${pins}-python-${found.version}`);
  if (existsSync(folder)) return join(folder, 'bin/python');
  say('Installing MiniStack and cfn-lint from PyPI, once; this takes about half a minute…');
  // Under its own name only once it is whole.
  const making = `${folder}.${process.pid}`;
  await mkdir(dirname(folder), { recursive: true });
  try {
    const made = await run(found.command, ['-m', 'venv', making], options);
    if (made.status !== 0) throw new NotRun(`Python made no virtual environment: ${lastLine(made)}`);
    const pip = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--no-input',
      '--disable-pip-version-check',
      '--retries=2',
    ];
    const installed = await run(join(making, 'bin/python'), [...pip, '-r', requirements], options);
    if (installed.status !== 0) throw new NotRun(`pip could not install its tools: ${lastLine(installed)}`);
    await rename(making, folder).catch((error) => {
      if (!existsSync(folder)) throw error; // another run was faster
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return join(folder, 'bin/python');
}

function cacheFolder({ XDG_CACHE_HOME }: NodeJS.ProcessEnv): string {
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'sluice');
}

function lastLine({ output }: Ran): string {
  return output.trim().split('\n').at(-1) ?? '';
}
