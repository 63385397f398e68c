/** The project elsewhere: where files can be changed, and no run of this one is seen. */
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './processes.ts';

export function copyOfProject(place: string): string {
  mkdirSync(place, { recursive: true });
  for (const name of ['bin', 'src', 'handlers', 'servers', 'package.json', 'tsconfig.json'])
    cpSync(join(root, name), join(place, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'));
  return place;
}
