/** `sluice torture`: what is right survives it, and what is wrong does not. */
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { below, isAlive, sluice, until } from '../support/processes.ts';
import { find } from './planted.ts';
import { plants } from './plants.ts';

const minute = 60_000;

test('after 20 kills among failing services every promise is kept', { timeout: 6 * minute }, async () => {
  const args = ['torture', '--json', '--kills', '20', '--seed', '20'];
  const { child, ended, output } = sluice(process.execPath, ['bin/sluice.js', ...args]);
  let out = '';
  child.stdout.on('data', (text) => (out += text));
  const status = await ended;
  const { kills, attacked, verdict, waiting } = JSON.parse(out || 'null') ?? expect.fail(output());
  const broken = Object.entries<string[]>(verdict.broken).filter(([, found]) => found.length > 0);
  expect({ broken, waiting, status }).toEqual({ broken: [], waiting: [], status: 0 });
  // It has done something.
  expect(kills.functions + kills.mapping + kills.redrive).toBe(20);
  expect(kills.atPoints).toBeGreaterThan(0);
  expect(Math.min(attacked.events, attacked.mails)).toBeGreaterThan(0);
  expect(attacked.faults).toBeGreaterThan(20);
  expect(verdict.changes).toBeGreaterThan(100);
  expect(verdict.mails).toBeGreaterThan(5);
});

// `node test/torture/planted.ts` tries all of them; that takes a quarter of an hour.
test('it finds a known defect: a cache that is filled by whoever has read too early', {
  timeout: 9 * minute,
}, () => {
  const name = 'cache fill without a token';
  const plant = plants[name];
  expect(plant && find(name, plant)).toBeDefined();
});

test('interrupted, it leaves no process behind', { timeout: minute }, async () => {
  const { child, ended, output } = sluice(process.execPath, ['bin/sluice.js', 'torture', '--kills', '500']);
  expect(await until(() => below(child.pid ?? 0).length >= 6, 30), output()).toBe(true);
  await wait(500);
  const processes = below(child.pid ?? 0);
  child.kill('SIGINT');
  expect(await ended).toBe(1);
  expect(await until(() => !processes.some(isAlive), 10)).toBe(true);
});

test.each([
  [['--kills', 'many'], 'It is a whole number from 0 to 9999.'],
  [['--sink-faults', '1'], 'It is a number from 0 to 0.5.'],
  [['--kils', '3'], 'Did you mean --kills?'],
])('%j is refused before anything begins', async (args, why) => {
  const { ended, output } = sluice(process.execPath, ['bin/sluice.js', 'torture', ...args]);
  expect(await ended).toBe(1);
  expect(output()).toContain(why);
});

test('a named service that nobody answers for is told, and no password with it', async () => {
  const named = { SLUICE_CACHE_ENDPOINT: 'redis://:hush@127.0.0.1:1' };
  const { ended, output } = sluice(process.execPath, ['bin/sluice.js', 'torture'], named);
  expect(await ended).toBe(1);
  expect(output()).toContain('The cache does not answer as it should');
  expect(output()).not.toContain('hush');
});
