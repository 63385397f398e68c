/** Programs from PyPI, each in a Python environment of its own in the cache. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { made } from './made.ts';
import { run, tried } from './run.ts';
import type { Source } from './server.ts';

const names = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];
const probe =
  'import sys, venv, ensurepip; assert sys.version_info >= (3, 10); print("%d.%d" % sys.version_info[:2])';

/**
 * The folder of an environment with what `pinned/<name>.txt` names, by the user's own pip settings. Its programs are
 * run as `bin/python -m`: scripts hold the path where the environment was made.
 */
export async function pythonEnvironment(name: string, { cache, say }: Source): Promise<string> {
  const requirements = join(import.meta.dirname, 'pinned', `${name}.txt`);
  const pins = readFileSync(requirements, 'utf8').trim().split('\n');
  const [, version] = pins.find((pin) => pin.startsWith(name))?.split('==') ?? pins[0]?.split('==') ?? [];
  const python = await interpreter();
  const folder = join(cache, `${name}-${version}-python-${python.version}`);
  return made(folder, async (making) => {
    say(`${name} ${version}: ${pins.length} packages from PyPI…`);
    let come = 0;
    const watch = (line: string) => {
      const [, file, size = ''] = /^\s*(?:Downloading|Using cached) (\S+) ?(\(.*\))?/.exec(line) ?? [];
      if (file === undefined || file.endsWith('.metadata')) return;
      come += 1;
      const bare = file.split('/').at(-1)?.split('-')[0];
      if (/\d\d MB|\d{2,}\.\d MB/.test(size) || come % 10 === 0)
        say(`${name} ${version}: ${come} of ${pins.length} packages, ${bare} ${size}`.trimEnd());
    };
    await run(python.command, ['-m', 'venv', making]);
    // Compiled when first used: most of it never is.
    const pip = ['-m', 'pip', 'install', '--no-input', '--disable-pip-version-check', '--no-compile'];
    await run(join(making, 'bin/python'), [...pip, '-r', requirements], { watch });
  });
}

export async function interpreter(): Promise<{ command: string; version: string }> {
  for (const command of names) {
    const version = await tried(command, ['-c', probe]);
    if (version !== undefined) return { command, version: version.trim() };
  }
  throw new Error('it needs Python 3.10 or newer with the module venv (on Debian: apt install python3-venv)');
}
