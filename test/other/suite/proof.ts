/** A whole day of any app at home, in a process of its own. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Sample } from '../samples.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

export function proofSuite({ name }: Sample): void {
  test('a day is proved, attacked and proved again, and the process ends with 0', async () => {
    // It rejects, with all that was said, where the status is not 0.
    const { stdout } = await promisify(execFile)(process.execPath, [main, name], { timeout: 25_000 });
    expect(stdout).toContain('1 parked, as expected');
    expect(stdout).toContain('0 missing, 0 stale, 0 doubled');
  });
}
