/** What `--keep` keeps, and what `npm run dev` starts again. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { openKept } from '../../src/local/kept.ts';
import { isAlive as isThere } from '../../src/local/running.ts';
import { below, isAlive, root, sluice, until } from '../support/processes.ts';
import { copyOfProject } from '../support/project.ts';

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
  expect(second.output()).toContain('19 items are there from before; the day is not played again');
  expect(second.output()).toMatch(/^PROOF 19 items × 5 sinks: 0 missing, 0 stale, 0 doubled$/m);
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

const dynamodb = 'SLUICE_DYNAMODB_ENDPOINT';
const search = 'SLUICE_SEARCH_ENDPOINT';

test('what was kept with other named services is refused in one line, and what it tells holds no password', () => {
  const place = newFolder('elsewhere');
  const named = { [dynamodb]: 'http://127.0.0.1:8000', [search]: 'https://me:hush@search.example:9200' };
  // A first start with a mistake has kept nothing yet.
  openKept(place, { [search]: 'http://mistaken' }).release();
  const { run, release } = openKept(place, named);
  release();
  writeFileSync(join(place, 'project.json'), '{}');
  expect(() => openKept(place, { ...named, [search]: undefined })).toThrow(
    `${place} was kept with other services: ${search} was https://search.example:9200/. Name those again, or begin with another folder: --keep FOLDER.`,
  );
  expect(() => openKept(place, { ...named, SLUICE_CACHE_ENDPOINT: 'redis://127.0.0.1' })).toThrow(
    'SLUICE_CACHE_ENDPOINT was not set',
  );
  expect(existsSync(join(place, 'lock'))).toBe(false);
  const again = {
    ...named,
    [search]: 'https://me:changed@search.example:9200',
    SLUICE_CACHE_ENDPOINT: 'memory:',
  };
  expect(openKept(place, again)).toMatchObject({ run });
  for (const name of readdirSync(place))
    expect(readFileSync(join(place, name), 'utf8')).not.toMatch(/hush|changed|me:/);
});

test('where a run is stands in a file that nobody else may read, whatever lay there before', () => {
  const copy = copyOfProject(newFolder('announced'));
  const file = join(copy, '.sluice/running.json');
  const announce = () =>
    spawnSync(
      node,
      [
        '-e',
        "import('./src/local/running.ts').then(({ announce }) => void announce({ URL: 'redis://:hush@x' }))",
      ],
      { cwd: copy, encoding: 'utf8' },
    );
  expect(announce()).toMatchObject({ status: 0, stderr: '' });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  writeFileSync(file, '{"pid":1,"environment":{}}');
  chmodSync(file, 0o666);
  expect(announce().status).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).toContain('hush');
});

test('a process of somebody else is alive', () => {
  const refused = (code: string) => () => {
    throw Object.assign(new Error(code), { code });
  };
  const kill = vi.spyOn(process, 'kill');
  try {
    kill.mockImplementation(refused('EPERM'));
    expect(isThere(1)).toBe(true);
    kill.mockImplementation(refused('ESRCH'));
    expect(isThere(1)).toBe(false);
  } finally {
    kill.mockRestore();
  }
});

test('without --keep nothing is left for the next start', async () => {
  const copy = newFolder('nothing');
  const run = spawnSync(node, ['bin/sluice.js', 'start', '--once', '--json'], {
    cwd: root,
    env: { ...process.env, TMPDIR: makeFolder(copy) },
  });
  expect(run.status).toBe(0);
  expect(readdirSync(copy)).toEqual([]);
});

function makeFolder(path: string): string {
  cpSync(mkdtempSync(join(folder, 'empty-')), path, { recursive: true });
  return path;
}

test('dev starts again when the code changes, with the data kept, and outlives code that does not even parse', async () => {
  const copy = copyOfProject(newFolder('project'));
  const { child, ended, output } = sluice(node, ['bin/dev.js', '--port', '0'], {}, copy);
  const starts = () => output().split(waiting).length - 1;
  expect(await until(() => starts() === 1, 40)).toBe(true);
  const commands = join(copy, 'src/shop/commands.ts');
  const text = readFileSync(commands, 'utf8');

  writeFileSync(commands, `${text}\nconst = 1;\n`);
  expect(await until(() => output().includes('Waiting for a change'), 20)).toBe(true);
  writeFileSync(commands, text);
  expect(await until(() => starts() === 2, 40)).toBe(true);
  expect(output()).toContain('18 items are there from before');

  appendFileSync(join(copy, 'handlers/notify.ts'), "\nconsole.log('the new notify');\n");
  expect(await until(() => starts() === 3, 40)).toBe(true);
  expect(output()).toContain('the new notify');

  const family = below(child.pid ?? 0);
  expect(family.length).toBeGreaterThan(1);
  child.kill('SIGKILL');
  await ended;
  expect(await until(() => !family.some(isAlive), 10)).toBe(true);
});
