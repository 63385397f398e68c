/** A recording of somebody else's table, sent into a run whose data is kept: it is no part of what that run proves. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root, sluice, until } from '../support/processes.ts';
import { copyOfProject } from '../support/project.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-replayed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A recording as if it had been made just now, all its moments moved by as much: mail of old changes is not sent. */
function recordedNow(name: string): string {
  const text = readFileSync(join(root, 'events/recorded', `${name}.json`), 'utf8');
  const [, made] = /"ApproximateCreationDateTime": (\d+)/.exec(text) ?? [];
  const moved = Math.floor(Date.now() / 1_000) - Number(made);
  const moment = /\b(\d{10})(\d{6})?\b/g; // seconds, or microseconds
  const path = join(folder, `${name}.json`);
  writeFileSync(
    path,
    text.replace(moment, (_, seconds, rest = '') => `${Number(seconds) + moved}${rest}`),
  );
  return path;
}

const node = process.execPath;

test('what a replay brought of changes that never happened here is left out of the next proof, and counted', async () => {
  const copy = copyOfProject(join(folder, 'project'));
  const start = () =>
    sluice(node, ['bin/sluice.js', 'start', '--keep', join(folder, 'kept'), '--port', '0'], {}, copy);
  const first = start();
  expect(await until(() => first.output().includes('Stop with Ctrl-C.'), 40), first.output()).toBe(true);
  const files = ['order-placed', 'product-added'].map(recordedNow);
  const sent = sluice(node, ['bin/sluice.js', 'replay', '--send', '--acts', ...files], {}, copy);
  expect(await sent.ended, sent.output()).toBe(0);
  expect(sent.output()).toContain('This goes to the local run.');
  first.child.kill('SIGINT');
  await first.ended;

  const second = start();
  expect(await until(() => second.output().includes('PROOF'), 40), second.output()).toBe(true);
  const left = Number(/^(\d+) brought by a replay/m.exec(second.output())?.[1]);
  // Rows of the audit trail, a row of the outbox and its mail, events, documents.
  expect(left, second.output()).toBe(8);
  expect(second.output()).toMatch(/^PROOF \d+ items × 5 sinks: 0 missing, 0 stale, 0 doubled$/m);
  expect(second.output()).not.toContain('FAILED');
  second.child.kill('SIGINT');
  await second.ended;
}, 90_000);
