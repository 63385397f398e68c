/** `npm run servers`, in a cache of its own. Nothing here downloads anything: Redis is the machine's. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hasRedis, unlessRedis } from '../sinks/redis.ts';
import { isAlive, sluice } from '../support/processes.ts';

let cache = '';
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'sluice-servers-'));
});
afterEach(async () => {
  await servers('down');
  rmSync(cache, { recursive: true, force: true });
});

async function servers(...args: string[]) {
  const environment = { XDG_CACHE_HOME: cache };
  const { ended, output } = sluice(process.execPath, ['bin/servers.js', ...args], environment);
  const status = await ended;
  return { status, output: output(), redis: /redis=(redis:\S+)'/.exec(output())?.[1] };
}

type Written = Record<string, { ports: number[]; processes: { pid: number }[] }>;

/** What is written down of this checkout's servers. */
function state(): Written {
  const folder = join(cache, 'sluice/servers');
  const run = readdirSync(folder).find((name) => name.startsWith('run-')) ?? '';
  return JSON.parse(readFileSync(join(folder, run, 'state.json'), 'utf8'));
}

test('a server that there is not, is named with those that there are', async () => {
  const { status, output } = await servers('opensaerch');
  expect(status).toBe(1);
  expect(output).toContain('There is no server "opensaerch". There are opensearch, dynamodb, redis,');
});

test('what is no port, is said to be none', async () => {
  const { status, output } = await servers('redis:70000');
  expect(status).toBe(1);
  expect(output).toContain('70000 is no port for redis');
});

test('down, where nothing is up, is no failure', async () => {
  expect(await servers('down')).toMatchObject({ status: 0, output: 'Nothing was up.\n' });
});

test.skipIf(!hasRedis)(`what is up stays as it is, and down leaves nothing of it${unlessRedis}`, async () => {
  const first = await servers('redis');
  expect(first).toMatchObject({ status: 0, redis: expect.stringMatching(/^redis:\/\/127\.0\.0\.1:\d+$/) });
  const before = state();
  const again = await servers('redis');
  expect(again).toMatchObject({ status: 0, redis: first.redis });
  expect(again.output).toContain('Redis: runs already');
  expect(state()).toEqual(before);
  const elsewhere = await servers('redis:1024');
  expect(elsewhere.status).toBe(1);
  expect(elsewhere.output).toContain('it runs on port');

  const pid = before.redis?.processes[0]?.pid ?? 0;
  expect(isAlive(pid)).toBe(true);
  expect((await servers('down')).status).toBe(0);
  expect(isAlive(pid)).toBe(false);
  expect(readdirSync(join(cache, 'sluice/servers'))).toEqual([]);
});

test.skipIf(!hasRedis)(
  `one that died is named with what it said last, and started again${unlessRedis}`,
  async () => {
    await servers('redis');
    const pid = state().redis?.processes[0]?.pid ?? 0;
    process.kill(pid, 'SIGTERM'); // it says so before it goes
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
    const status = await servers('status');
    expect(status.status).toBe(1);
    expect(status.output).toMatch(/Redis: does not answer any more\. The last lines of .*log:\n.*bye bye/s);
    const again = await servers('redis');
    expect(again.status).toBe(0);
    expect(again.output).toMatch(/Redis: ran no more\..*bye bye.*Redis: up on port/s);
  },
);

test.skipIf(!hasRedis)(
  `a port that is taken is named, and nothing is left half started${unlessRedis}`,
  async () => {
    await servers('redis');
    const taken = state().redis?.ports[0] ?? 0;
    const { status, output } = await servers(`redis-cluster:${taken}`);
    expect(status).toBe(1);
    expect(output).toContain(`Redis cluster: port ${taken} cannot be had: listen EADDRINUSE`);
    expect(Object.keys(state())).toEqual(['redis']);
  },
);

test.skipIf(!hasRedis)(`a second command waits for the first${unlessRedis}`, async () => {
  const both = await Promise.all([servers('redis'), servers('redis')]);
  expect(both.map(({ status }) => status)).toEqual([0, 0]);
  expect(both[0]?.redis).toBe(both[1]?.redis);
  expect(both.filter(({ output }) => output.includes('runs already'))).toHaveLength(1);
});

test('where a mirror of Maven Central is set, all comes from there', async () => {
  const { mavenRepository } = await import('../../servers/maven.ts');
  const file = join(cache, 'settings.xml');
  const mirror = (of: string) =>
    `<mirror><id>ours</id><mirrorOf>${of}</mirrorOf><url>https://maven.example.com/all/</url></mirror>`;
  const login = '<server><id>ours</id><username>ada</username><password>a&amp;b</password></server>';
  const by = (inner: string) => {
    writeFileSync(file, `<settings>${inner}</settings>`);
    return mavenRepository(file);
  };
  const ours = { url: 'https://maven.example.com/all', headers: {} };
  for (const of of ['*', 'central', 'external:*', 'other, central']) expect(by(mirror(of))).toEqual(ours);
  const authorization = `Basic ${Buffer.from('ada:a&b').toString('base64')}`;
  expect(by(mirror('*') + login)).toEqual({ ...ours, headers: { authorization } });
  const central = { url: 'https://repo.maven.apache.org/maven2', headers: {} };
  for (const inner of [mirror('other'), mirror('*,!central'), `<!-- ${mirror('*')} -->`, ''])
    expect(by(inner)).toEqual(central);
  expect(mavenRepository(join(cache, 'none.xml'))).toEqual(central);
});
