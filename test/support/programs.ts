/** Programs that a machine has or has not. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where it lies; nothing where the machine lacks it. */
export function programNamed(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isThere);
}

function isThere(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
