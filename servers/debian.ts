/** Redis: the machine's, or Debian's package, unpacked into the cache and installed nowhere. */
import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { made } from './made.ts';
import { run, tried } from './run.ts';
import type { Source } from './server.ts';

const program = 'redis-server';

export async function redisProgram(source: Source): Promise<string> {
  if ((await tried(program, ['--version'])) !== undefined) return program;
  return join(await unpacked(source), program);
}

function unpacked({ cache, say }: Source): Promise<string> {
  return made(join(cache, `redis-${arch()}`), async (making) => {
    if ((await tried('apt-get', ['--version'])) === undefined)
      throw new Error('it needs redis-server, which this machine lacks: install it');
    say('Redis: 1 MB from the packages of this system…');
    const archives = join(making, 'archives');
    const lists = join(making, 'lists');
    for (const folder of [archives, lists]) mkdirSync(join(folder, 'partial'), { recursive: true });
    const watch = (line: string) => /^Get:/.test(line) && say(`Redis: ${line}`);
    const own = [
      '-o',
      'Debug::NoLocking=1',
      '-o',
      `Dir::Cache=${making}`,
      '-o',
      `Dir::Cache::archives=${archives}`,
    ];
    // The package of the server only starts a service; the program is in redis-tools.
    const get = ['install', '--download-only', '--reinstall', '-y', '--no-install-recommends', 'redis-tools'];
    await run('apt-get', [...own, ...get], { watch }).catch(async () => {
      const listed = [...own, '-o', `Dir::State::lists=${lists}`];
      await run('apt-get', [...listed, 'update'], { watch });
      await run('apt-get', [...listed, ...get], { watch });
    });
    for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb')))
      await run('dpkg-deb', ['-x', join(archives, file), join(making, 'root')]);
    // It serves when it is called so.
    symlinkSync('redis-check-rdb', join(making, 'root/usr/bin', program));
    const start = `#!/bin/sh
here=$(dirname "$0")
for folder in "$here"/root/usr/lib/*-linux-gnu* "$here"/root/lib/*-linux-gnu*; do libraries=$libraries:$folder; done
LD_LIBRARY_PATH=\${libraries#:} exec "$here"/root/usr/bin/${program} "$@"
`;
    writeFileSync(join(making, program), start);
    chmodSync(join(making, program), 0o755);
  });
}
