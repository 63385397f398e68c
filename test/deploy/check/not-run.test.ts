/** Where its tools cannot be had, `deploy:check` says so, and nobody can take that for a pass. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root, sluice } from '../../support/processes.ts';
import { programNamed } from '../../support/programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-not-run-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function check(args: string[], environment: Record<string, string>) {
  const run = sluice(process.execPath, [join(root, 'bin/deploy-check.js'), ...args], environment);
  return { status: await run.ended, said: run.output() };
}

test('without Python the status is 2', async () => {
  const { status, said } = await check([], { PATH: folder });
  expect(said).toMatch(/^deploy:check was not run: it needs Python 3\.10 or newer .*$/m);
  expect(said).not.toMatch(/passed/);
  expect(status).toBe(2);
});

test('where that was foreseen the status is 0, and the line is the same', async () => {
  const { status, said } = await check(['--if-possible'], { PATH: folder });
  expect(said).toMatch(/^deploy:check was not run: /m);
  expect(said).not.toMatch(/passed/);
  expect(status).toBe(0);
});

test('a misspelt option is an error', async () => {
  const { status, said } = await check(['--if-posible'], { PATH: folder });
  expect(said).toMatch(/--if-posible/);
  expect(status).toBe(1);
});

const python = programNamed('python3');

test.skipIf(python === undefined)(
  'where PyPI cannot be reached nothing half made stays behind',
  async () => {
    const cache = join(folder, 'cache');
    const { status, said } = await check([], {
      XDG_CACHE_HOME: cache,
      PIP_INDEX_URL: 'http://127.0.0.1:9/simple',
      PIP_EXTRA_INDEX_URL: '',
      PIP_FIND_LINKS: '',
      PIP_RETRIES: '0',
    });
    expect(said).toMatch(/^deploy:check was not run: pip could not install its tools: /m);
    expect(status).toBe(2);
    expect(readdirSync(join(cache, 'sluice'))).toEqual([]);
  },
  120_000,
);
