/** `sluice torture`: what is right survives it, and what is wrong does not. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { below, isAlive, root, sluice, until } from '../support/processes.ts';
import type { plants } from './plants.ts';

type Outcome = {
  ok: boolean;
  kills: { functions: number; mapping: number; redrive: number };
  faults: { faults: number };
  verdict: { changes: number; mails: number; broken: Record<string, string[]> };
  waiting: string[];
};

const minutes = 60_000;

/** `planted`: a defect that is put into the code that runs. */
async function tortured(
  args: string[],
  planted?: string,
): Promise<{ status: number | null; outcome: Outcome }> {
  const hook = planted === undefined ? [] : ['--import', './test/torture/plant.ts'];
  const command = [...hook, 'bin/sluice.js', 'torture', '--json', ...args];
  const { child, ended, output } = sluice(process.execPath, command, { PLANTED: planted ?? '' }, root);
  let out = '';
  child.stdout.on('data', (text) => (out += text));
  const status = await ended;
  try {
    return { status, outcome: JSON.parse(out) };
  } catch {
    throw new Error(`torture said no outcome:\n${output()}`);
  }
}

test('after 20 kills among failing services every promise is kept', { timeout: 6 * minutes }, async () => {
  const { status, outcome } = await tortured(['--kills', '20', '--seed', '20']);
  const { kills, faults, verdict, waiting } = outcome;
  expect({ broken: Object.entries(verdict.broken).filter(([, found]) => found.length > 0), waiting }).toEqual(
    {
      broken: [],
      waiting: [],
    },
  );
  expect(status).toBe(0);
  // It has done something.
  expect(kills.functions + kills.mapping + kills.redrive).toBe(20);
  expect(faults.faults).toBeGreaterThan(10);
  expect(verdict.changes).toBeGreaterThan(100);
  expect(verdict.mails).toBeGreaterThan(5);
});

/** What each defect breaks, and what it takes to be found: kills, the share of faults, and seeds one after the other. */
const found: Record<keyof typeof plants, { breaks: string; kills: number; faults: number }> = {
  'checkpoint before send': { breaks: 'events: missing or altered', kills: 12, faults: 0.1 },
  '`sending` written after the send': { breaks: 'mail: doubled', kills: 15, faults: 0.1 },
  'no outbox row before the batch is answered': {
    breaks: 'mail: missing or altered',
    kills: 10,
    faults: 0.1,
  },
  'parked events not held': { breaks: 'events: out of order, not late', kills: 3, faults: 0.3 },
  'hold deleted whatever its rev': { breaks: 'came to no rest', kills: 10, faults: 0.3 },
  'a lease per row instead of per item': { breaks: 'mail: out of order', kills: 3, faults: 0.3 },
  'redrive from payload for search': { breaks: 'search: missing or stale', kills: 3, faults: 0.3 },
  'plain delete in search': { breaks: 'search: missing or stale', kills: 10, faults: 0.4 },
  'cache fill without a token': { breaks: 'cache: stale', kills: 3, faults: 0.1 },
  'cache row without the keys before': { breaks: 'cache: stale', kills: 3, faults: 0.3 },
  'SES client with retries': { breaks: 'mail: doubled', kills: 3, faults: 0.3 },
  'audit redriven by re-reading': { breaks: 'audit: missing or altered', kills: 3, faults: 0.3 },
};

describe('it finds the defect:', () => {
  test.each(Object.entries(found))(
    '%s',
    { timeout: 9 * minutes },
    async (name, { breaks, kills, faults }) => {
      const seen: string[][] = [];
      for (const seed of [1, 2, 3, 4]) {
        const args = ['--kills', `${kills}`, '--seed', `${seed}`, '--sink-faults', `${faults}`];
        const { status, outcome } = await tortured(args, name);
        const all: Record<string, string[]> = {
          ...outcome.verdict.broken,
          'came to no rest': outcome.waiting,
        };
        const broken = Object.keys(all).filter((promise) => (all[promise] ?? []).length > 0);
        expect(status).toBe(broken.length > 0 ? 1 : 0);
        if (broken.includes(breaks)) return;
        seen.push(broken);
      }
      expect.fail(`It broke ${JSON.stringify(seen)}, and never “${breaks}”.`);
    },
  );
});

test('interrupted, it leaves no process behind', { timeout: 1 * minutes }, async () => {
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
