/** What `--keep` keeps, and what `npm run dev` starts again. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { below, isAlive, root, sluice, until } from '../support/processes.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-keep-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const newFolder = (name: string) => join(folder, name);

const node = process.execPath;
const keep = (place: string, ...more: string[]) => ['bin/sluice.js', 'start', '--keep', place, ...more];

const listed = async (url: string) => (await (await fetch(url)).json()) as unknown[];

const waiting = 'Stop with Ctrl-C.';
const addresses = (output: string) => {
  const [, api, outbox] = /API (\S+) .* outbox (\S+)/.exec(output) ?? [];
  return { api, outbox };
};

test('what one start leaves, the next one finds: items, search, mail and events, and nothing is played twice', async () => {
  const place = newFolder('whole');
  const first = sluice(node, keep(place, '--port', '0'));
  expect(await until(() => first.output().includes(waiting), 40)).toBe(true);
  const before = addresses(first.output());
  const mails = await listed(`${before.outbox}/messages.json`);
  const order = {
    method: 'POST',
    headers: { 'Idempotency-Key': 'kept' },
    body: '{"items":[{"productId":"cup","quantity":1}]}',
  };
  const placed = (await (await fetch(`${before.api}/customers/ada/orders`, order)).json()) as {
    orderId: string;
  };
  // Killed, it has no time to write anything down.
  first.child.kill('SIGKILL');
  await first.ended;

  const second = sluice(node, keep(place, '--port', '0'));
  expect(await until(() => second.output().includes(waiting), 40)).toBe(true);
  expect(second.output()).toContain('13 items are there from before; the day is not played again');
  expect(second.output()).toMatch(/^PROOF 13 items × 5 sinks: 0 missing, 0 stale, 0 doubled$/m);
  const after = addresses(second.output());
  const found = await (await fetch(`${after.api}/customers/ada/orders/${placed.orderId}`)).json();
  expect(found).toMatchObject({ orderId: placed.orderId, status: 'pending' });
  expect(await (await fetch(`${after.api}/search/products?q=tea`)).json()).toMatchObject({ total: 1 });
  const mailsNow = await listed(`${after.outbox}/messages.json`);
  expect(mailsNow.slice(0, mails.length)).toEqual(mails);
  expect(mailsNow).toHaveLength(mails.length + 1); // the confirmation of the order
  second.child.kill('SIGINT');
  await second.ended;
});

test('a folder is for one run at a time', async () => {
  const place = newFolder('shared');
  const first = sluice(node, keep(place, '--port', '0'));
  expect(await until(() => first.output().includes('three customers'), 20)).toBe(true);
  const second = sluice(node, keep(place, '--once'));
  expect(await second.ended).toBe(1);
  expect(second.output()).toContain(`${place} is in use by process`);
  expect(second.output().trim().split('\n')).toHaveLength(1);
  first.child.kill('SIGINT');
  await first.ended;
  const third = sluice(node, keep(place, '--once'));
  expect(await third.ended).toBe(0);
});

test('without --keep nothing is left for the next start', async () => {
  const copy = newFolder('nothing');
  const run = spawnSync(node, ['bin/sluice.js', 'start', '--once', '--json'], {
    cwd: root,
    env: { ...process.env, TMPDIR: makeFolder(copy) },
  });
  expect(run.status).toBe(0);
  expect(spawnSync('ls', ['-A', copy], { encoding: 'utf8' }).stdout).toBe('');
});

function makeFolder(path: string): string {
  cpSync(mkdtempSync(join(folder, 'empty-')), path, { recursive: true });
  return path;
}

/** A copy of the project, in which files can be changed. */
function copyOfProject(): string {
  const copy = makeFolder(newFolder('project'));
  for (const name of ['bin', 'src', 'handlers', 'package.json', 'tsconfig.json'])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

test('dev starts again when the code changes, with the data kept, and outlives code that does not even parse', async () => {
  const copy = copyOfProject();
  const { child, ended, output } = sluice(node, ['bin/dev.js', '--port', '0'], {}, copy);
  const starts = () => output().split(waiting).length - 1;
  expect(await until(() => starts() === 1, 40)).toBe(true);
  const commands = join(copy, 'src/shop/commands.ts');
  const text = readFileSync(commands, 'utf8');

  writeFileSync(commands, `${text}\nconst = 1;\n`);
  expect(await until(() => output().includes('Waiting for a change'), 20)).toBe(true);
  writeFileSync(commands, text);
  expect(await until(() => starts() === 2, 40)).toBe(true);
  expect(output()).toContain('12 items are there from before');

  appendFileSync(join(copy, 'handlers/notify.ts'), "\nconsole.log('the new notify');\n");
  expect(await until(() => starts() === 3, 40)).toBe(true);
  expect(output()).toContain('the new notify');

  const family = below(child.pid ?? 0);
  expect(family.length).toBeGreaterThan(1);
  child.kill('SIGKILL');
  await ended;
  expect(await until(() => !family.some(isAlive), 10)).toBe(true);
});
