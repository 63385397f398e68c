/** `sluice lint` on a text, and what it said. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Finding } from '../../src/lint/lint.ts';
import { lintFile } from '../../src/ops/lint.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-lint-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Linted = { status: number; findings: Finding[]; told: string[]; file: string };

export async function linted(text: string, name = 'serverless.yml'): Promise<Linted> {
  const file = join(folder, name);
  writeFileSync(file, text);
  return lintedFile(file);
}

export async function lintedFile(file: string): Promise<Linted> {
  const said: string[] = [];
  const told: string[] = [];
  const say = (line: string) => void said.push(line);
  const status = await lintFile(file, { json: true, say, complain: (line) => void told.push(line) });
  return { status, findings: said.map((line) => JSON.parse(line)), told, file };
}

/** Rule and line of each, in the order of the file. */
export function places(findings: readonly Finding[]): string[] {
  return findings.map(({ rule, line }) => `${line} ${rule}`).sort(byLine);
}

/** What a template itself says must be found: `# ! rule rule` at the end of a line. */
export function marked(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      (/# ! (.*)$/.exec(line)?.[1] ?? '')
        .split(' ')
        .filter(Boolean)
        .map((rule) => `${index + 1} ${rule}`),
    )
    .sort(byLine);
}

function byLine(one: string, other: string): number {
  return Number.parseInt(one, 10) - Number.parseInt(other, 10) || one.localeCompare(other);
}
