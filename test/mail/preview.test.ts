/** `sluice preview`: an email as it will look, made of a recording. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;

test('preview prints subject and text, and names the HTML', () => {
  const out = execFileSync(process.execPath, ['bin/sluice.js', 'preview', 'orderConfirmation'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(out).toMatch(/^Subject: Your order \S+$/m);
  expect(out).toMatch(/^Total: \d+\.\d\d EUR$/m);
  const [, path] = /^HTML: (.*)$/m.exec(out) ?? [];
  expect(readFileSync(`${path}`, 'utf8')).toMatch(/<th[^>]*>Total<\/th>/);
});

test('an email that is not declared is named, with those that are', () => {
  const { status, stderr } = spawnSync(process.execPath, ['bin/sluice.js', 'preview', 'fax'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('There is no email fax. There are orderConfirmation, orderShipped.');
});
