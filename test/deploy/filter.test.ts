/** The stack of an app whose keys tell nothing of whose an item is: the Framework takes it, and no record is filtered. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from '../support/processes.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A copy of the project whose app has one more entity, with a key that may begin with anything. */
function copyWithAnyKey(): void {
  for (const part of ['serverless.yml', 'package.json', 'bin', 'deploy', 'src'])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const any = `defineEntity({
    name: 'Any', schema: z.object({ id: z.string() }), key: { pk: '{id}', sk: 'ANY', from: 'natural' },
  })`;
  const app = readFileSync(join(root, 'src/app.ts'), 'utf8').replace('entities: [', `entities: [${any}, `);
  const imports = "import * as z from 'zod/mini';\nimport { defineEntity } from './table/entity.ts';\n";
  writeFileSync(join(folder, 'src/app.ts'), imports + app);
}

test('where any key may be ours, the mappings have no filter', () => {
  copyWithAnyKey();
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(folder, 'bin/osls.js'), 'print', '--format', 'json'],
    { cwd: folder, env: { PATH: process.env.PATH ?? '', HOME: folder }, encoding: 'utf8' },
  );
  expect(status, `${stdout}${stderr}`).toBe(0);
  const { project, notify, mail } = JSON.parse(stdout).functions;
  expect(project.events[0].stream.filterPatterns).toBeNull();
  expect(notify.events[0].stream.filterPatterns).toBeNull();
  expect(mail.events[0].stream.filterPatterns).toEqual([{ eventName: ['INSERT'] }]);
}, 120_000);
