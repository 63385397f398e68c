/** Templates with and without faults: what `sluice lint` finds in each, and that its own lines mend them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { linted, lintedFile, marked, places } from './linted.ts';
import { asData, mended, written } from './mended.ts';

const root = new URL('../..', import.meta.url).pathname;
const folder = join(root, 'test/lint/templates');
const named = (begin: RegExp) => readdirSync(folder).filter((name) => begin.test(name));
const textOf = (name: string) => readFileSync(join(folder, name), 'utf8');

test('there are enough of them', () => {
  expect(named(/^bad-/).length).toBeGreaterThanOrEqual(10);
  expect(named(/^public-/).length).toBeGreaterThanOrEqual(3);
});

test.each(named(/^good-/))('%s has no findings, and nothing is left unjudged', async (name) => {
  const { status, findings, told } = await lintedFile(join(folder, name));
  expect({ status, findings }).toEqual({ status: 0, findings: [] });
  expect(told).toEqual([expect.stringMatching(/^\d stream mappings?: no findings, 0 not judged\.$/)]);
});

test.each(named(/^(bad|public)-.*yml$/))(
  '%s shows exactly the findings that are marked in it',
  async (name) => {
    const { status, findings } = await lintedFile(join(folder, name));
    expect(places(findings)).toEqual(marked(textOf(name)));
    expect(status).toBe(1);
  },
);

test('a packaged template in JSON shows its findings at their lines', async () => {
  const { findings } = await lintedFile(join(folder, 'bad-packaged.json'));
  expect(places(findings)).toEqual(['28 record-age', '31 starting-position', '34 missing-rights']);
  expect(findings[1]?.write).toEqual([
    {
      how: 'in',
      at: 'Resources.IndexEventSourceMappingDynamodbLamps.Properties',
      lines: '"StartingPosition": "TRIM_HORIZON"',
    },
  ]);
});

test('each finding says what happens, when, and what to write', async () => {
  for (const name of named(/^(bad|public)-/)) {
    const { findings } = await lintedFile(join(folder, name));
    for (const { happens, when, write, severity } of findings) {
      expect(happens).toMatch(/^.{20,}[.]$/);
      expect(when).toMatch(/^[a-z0-9].{8,}[^.]$/);
      expect(severity).toMatch(/^(loses|hurts)$/);
      expect(write.length, name).toBeGreaterThan(0);
    }
  }
});

describe('whoever writes what is said ends without findings', () => {
  test.each(named(/^(bad|public)-/))('%s', async (name) => {
    let data = asData(textOf(name));
    const again = () => linted(written(data, name), name);
    for (let round = 0; round < 40; round++) {
      const [finding] = (await again()).findings;
      if (finding === undefined) break;
      // The role of a function that another stack holds is mended there.
      const here = finding.write.filter(({ at }) => at !== 'the role of its function');
      data = here.reduce((before, lines) => mended(before, lines, name), data);
    }
    expect((await again()).findings).toEqual([]);
  });
});
