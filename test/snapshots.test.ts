/** `npm test` itself: a snapshot that is not there is a failure. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = new URL('..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'sluice-snapshots-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = `import { expect, test } from 'vitest';
test('a text', () => expect('a').toMatchFileSnapshot('text.txt'));`;

test('a snapshot that is missing fails and is not written, unless it is asked for', () => {
  for (const name of ['bin', 'package.json', 'vitest.config.ts'])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  // A folder of its own, since the results are written there.
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!name.startsWith('.'))
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  mkdirSync(join(folder, 'test'));
  writeFileSync(join(folder, 'test/text.test.ts'), text);
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['bin/test.js', ...args], { cwd: folder, encoding: 'utf8' }).stdout;
  expect(run()).toMatch(/^0 passed, /m);
  expect(readdirSync(join(folder, 'test'))).toEqual(['text.test.ts']);
  expect(run('--update')).toMatch(/^1 passed, /m);
  expect(readdirSync(join(folder, 'test'))).toContain('text.txt');
  expect(run()).toMatch(/^1 passed, /m);
}, 60_000);
