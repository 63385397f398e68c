/** What `npm pack` gives, used as a stranger would: installed in an empty folder, in three lines. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ada, customerAt } from './sinks/items.ts';
import { recordOf } from './support/records.ts';

const root = new URL('..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'sluice-pack-'));
const environment = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` };

function run(cwd: string, command: string, ...args: string[]): string {
  return execFileSync(command, args, {
    cwd,
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

const user = join(folder, 'user');

beforeAll(() => {
  run(root, 'npm', 'pack', '--pack-destination', folder);
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  mkdirSync(user);
  writeFileSync(join(user, 'package.json'), '{"name":"user","private":true,"type":"module"}');
  run(
    user,
    'npm',
    'install',
    join('..', `${tarball}`),
    '--omit=optional',
    '--prefer-offline',
    '--ignore-scripts',
  );
  writeFileSync(
    join(user, 'batch.json'),
    JSON.stringify({ Records: [recordOf({ after: customerAt(1, ada('ada')) })] }),
  );
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lines = [
  "import { replay } from 'sluice/test';",
  "const { records, plans } = await replay('batch.json');",
  'console.log(JSON.stringify([records.map(({ verdict }) => verdict), plans.bus]));',
];

test('three lines in an empty folder show what a recorded batch causes', () => {
  writeFileSync(join(user, 'try.js'), lines.join('\n'));
  const [verdicts, events] = JSON.parse(run(user, process.execPath, 'try.js'));
  expect(verdicts).toEqual(['change']);
  expect(events).toMatchObject([{ name: 'CustomerRegistered', data: { userId: 'ada' } }]);
});

test('the types come along, and a misspelt one does not compile', () => {
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2024', '--module', 'nodenext'];
  const compile = (name: string, text: string[]) => {
    writeFileSync(join(user, name), text.join('\n'));
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    return run(
      user,
      process.execPath,
      compiler,
      ...options,
      '--types',
      'node',
      '--typeRoots',
      join(root, 'node_modules/@types'),
      name,
    );
  };
  const typed = [
    "import { defineTable } from 'sluice';",
    "import { type Replay, replay } from 'sluice/test';",
    "export const table = defineTable({ pk: 'pk', sk: 'sk', type: 'type', version: 'version' });",
    'export const found: Promise<Replay> = replay([]);',
  ];
  expect(compile('good.ts', typed)).toBe('');
  expect(() => compile('bad.ts', [...typed, 'found.then(({ answers }) => answers);'])).toThrow();
  expect(() =>
    compile('wrong.ts', [...typed, 'export const wrong: Promise<string> = replay([]);']),
  ).toThrow();
});

test('it holds what was compiled and nothing of the tests', () => {
  const files = run(join(user, 'node_modules/sluice'), 'find', '.', '-type', 'f').trim().split('\n');
  expect(files).toContain('./dist/src/test.d.ts');
  expect(files).toContain('./LICENSE');
  expect(files.filter((file) => /\.ts$/.test(file) && !/\.d\.ts$/.test(file))).toEqual([]);
  expect(files.filter((file) => /(^|\/)(test|node_modules)\//.test(file))).toEqual([]);
});

test('a linter of packages finds nothing', () => {
  const linter = join(root, 'node_modules/publint/src/cli.js');
  expect(run(root, process.execPath, linter, 'run', '--strict')).toContain('All good!');
}, 60_000);
