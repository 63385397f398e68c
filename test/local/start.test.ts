import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { below, isAlive, sluice, until } from '../support/processes.ts';

test('start --once shows the day, proves it in one line and ends with status 0', async () => {
  const { ended, output } = sluice(process.execPath, ['bin/sluice.js', 'start', '--once']);
  expect(await ended).toBe(0);
  expect(output()).toMatch(/^Nothing real is used\./);
  expect(output()).toMatch(/Ada's order is shipped +search 1 +cache 2 +audit 1 +email 1 +bus 1/);
  expect(output()).toContain('1 parked, as expected');
  expect(output()).toMatch(
    /^PROOF 12 items × 5 sinks: 0 missing, 0 stale, 0 doubled \(and again after \d+ repeats\)$/m,
  );
});

test('start --once --json prints one line for programs', async () => {
  const { ended, output } = sluice(process.execPath, ['bin/sluice.js', 'start', '--once', '--json']);
  expect(await ended).toBe(0);
  expect(output().trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(output())).toMatchObject({ ok: true, items: 12, sinks: 5, findings: [] });
});

test('an option that does not exist is refused', async () => {
  const { ended, output } = sluice(process.execPath, ['bin/sluice.js', 'start', '--onec']);
  expect(await ended).toBe(1);
  expect(output()).toContain("unknown option '--onec'");
});

test('a wrong variable is named, with the form expected and an example', async () => {
  const environment = { SLUICE_CACHE_ENDPOINT: 'localhost:6379' };
  const { ended, output } = sluice(process.execPath, ['bin/sluice.js', 'start', '--once'], environment);
  expect(await ended).toBe(1);
  expect(output()).toContain('SLUICE_CACHE_ENDPOINT must be a redis or rediss URL');
  expect(output()).toContain('redis://127.0.0.1:6379');
});

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
  '%s in the middle of the day leaves no process behind',
  async (signal) => {
    const { child, ended, output } = sluice(process.execPath, ['bin/sluice.js', 'start', '--once']);
    expect(await until(() => output().includes('three customers'), 20)).toBe(true);
    const family = below(child.pid ?? 0);
    expect(family.length).toBeGreaterThan(0);
    child.kill(signal);
    await ended;
    expect(await until(() => !family.some(isAlive), 10)).toBe(true);
  },
);

test('npm start killed with SIGKILL leaves no process behind', async () => {
  // One that would stay by itself.
  const { child, ended, output } = sluice('npm', ['start', '--', '--port', '0']);
  expect(await until(() => output().includes('three customers'), 30)).toBe(true);
  const family = below(child.pid ?? 0);
  expect(family.length).toBeGreaterThan(1);
  child.kill('SIGKILL');
  await ended;
  expect(await until(() => !family.some(isAlive), 10)).toBe(true);
});

const live = ['bin/sluice.js', 'start', '--port', '0'];

test('without --once it shows each change and what it caused, proves, stays, and ends with Ctrl-C', async () => {
  const { child, ended, output } = sluice(process.execPath, live);
  expect(await until(() => output().includes('Stop with Ctrl-C.'), 40)).toBe(true);
  expect(output()).toMatch(/\+ Customer\/USER#ada\/PROFILE +search 1 +cache 1 +audit 1 +email · +bus 1$/m);
  expect(output()).toMatch(/~ Product\/PRODUCT#jam\/PRODUCT#jam .* inexact$/m);
  expect(output().match(/warehouse, who subscribes to OrderPaid, packs order/g)).toHaveLength(1);
  expect(output()).toMatch(/\+ Order\/USER#ada\S+ +search parked +cache 2 +audit 1 +email 1 +bus 1$/m);
  expect(output()).toMatch(
    /^search is back after \d\.\d s: 7 items wait for it; the others had each order after \d+ ms at most$/m,
  );
  expect(output()).toMatch(/^redrive has brought all of them home, \d+\.\d s later$/m);
  expect(output()).toMatch(/^PROOF 18 items × 5 sinks: 0 missing, 0 stale, 0 doubled/m);
  expect(output()).not.toContain('\u001b');
  const [, api, outbox] = /API (\S+) .* outbox (\S+)/.exec(output()) ?? [];
  expect(await (await fetch(`${outbox}`)).text()).toContain('is on its way');
  expect(await (await fetch(`${api}/search/products?q=tea`)).json()).toMatchObject({ total: 1 });
  const order = {
    method: 'POST',
    headers: { 'Idempotency-Key': 'by-curl' },
    body: '{"items":[{"productId":"cup","quantity":1}]}',
  };
  expect((await fetch(`${api}/customers/ada/orders`, order)).status).toBe(201);
  expect(
    await until(() => output().trimEnd().split('\n').slice(-2).join().includes('+ Order/USER#ada'), 10),
  ).toBe(true);
  child.kill('SIGINT');
  expect(await ended).toBe(130);
});

test('a port in use is one clear line, and nothing stays behind', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as AddressInfo;
  const { child, ended, output } = sluice(process.execPath, ['bin/sluice.js', 'start', '--port', `${port}`]);
  const family = until(() => below(child.pid ?? 0).length > 0, 10).then(() => below(child.pid ?? 0));
  expect(await ended).toBe(1);
  expect(output()).toContain(`The port ${port} is in use. Choose another with --port`);
  expect((await family).length).toBeGreaterThan(0);
  expect((await family).some(isAlive)).toBe(false);
  holder.close();
});

test('a port that is none is refused', async () => {
  const { ended, output } = sluice(process.execPath, ['bin/sluice.js', 'start', '--port', 'many']);
  expect(await ended).toBe(1);
  expect(output()).toContain('It is a number from 0 to 65535');
});

test.each([
  ['SLUICE_CACHE_ENDPOINT', 'redis://:secret@127.0.0.1:1', 'The cache'],
  ['SLUICE_SEARCH_ENDPOINT', 'http://127.0.0.1:1', 'Search'],
  ['SLUICE_DYNAMODB_ENDPOINT', 'http://127.0.0.1:1', 'DynamoDB'],
])('%s=%s, where nobody answers, is one clear line', async (name, value, service) => {
  const { ended, output } = sluice(process.execPath, ['bin/sluice.js', 'start', '--once'], { [name]: value });
  expect(await ended).toBe(1);
  expect(output()).toMatch(
    new RegExp(`^${service} does not answer as it should: .*ECONNREFUSED.*Is ${name} right\\?$`, 'm'),
  );
  expect(output()).not.toContain('secret');
  expect(output().trim().split('\n')).toHaveLength(1);
});
