/** The house's rules: which room may use which. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const root = new URL('..', import.meta.url).pathname;

const files = ['src', 'handlers'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file)),
);

type Import = { from: string; to: string };

/** Every import: a file of ours by its path from the root, a package by its name. */
const imports: Import[] = files.flatMap((from) => {
  const text = readFileSync(join(root, from), 'utf8');
  const named = [...text.matchAll(/(?:from|import) '([^']+)'|import\('([^']+)'\)/g)].map(
    (match) => match[1] ?? match[2] ?? '',
  );
  return named.map((to) => ({ from, to: to.startsWith('.') ? normalize(join(dirname(from), to)) : to }));
});

function breaking(from: RegExp, to: RegExp, except?: RegExp): string[] {
  return imports
    .filter((one) => from.test(one.from) && to.test(one.to) && !except?.test(one.to))
    .map((one) => `${one.from} imports ${one.to}`);
}

test('every file is seen', () => {
  expect(files.length).toBeGreaterThan(60);
  expect(imports.length).toBeGreaterThan(200);
});

test('the table knows nothing of what stands above it', () => {
  expect(breaking(/^src\/table\//, /^(src|handlers)\//, /^src\/table\//)).toEqual([]);
});

test('the engine is for everybody: only the app, the command line and the shop itself import the shop', () => {
  expect(breaking(/^src\/(?!shop\/|app\.ts|cli\.ts)|^handlers\//, /^src\/shop\//)).toEqual([]);
});

test('only handlers, the command line and the tests’ entry import the app', () => {
  expect(breaking(/^src\/(?!cli\.ts|test\.ts)/, /^src\/app\.ts/)).toEqual([]);
});

test('a sink never imports another sink', () => {
  const crossing = imports.filter(({ from, to }) => {
    const [mine, other] = [from, to].map((file) => /^src\/sinks\/([^/]+)\//.exec(file)?.[1]);
    return mine !== undefined && other !== undefined && mine !== other;
  });
  expect(crossing).toEqual([]);
});

test('entities know no SDK, no environment, no clock and nothing of Node', () => {
  expect(
    breaking(/^src\/shop\/entities\//, /^(@aws-sdk|@opensearch|node:|src\/config|src\/connections)/),
  ).toEqual([]);
  for (const file of files.filter((name) => name.startsWith('src/shop/entities/'))) {
    expect(readFileSync(join(root, file), 'utf8'), file).not.toMatch(/process\.|Date\b|Math\.random/);
  }
});

test('what runs on Lambda imports nothing of the local home', () => {
  expect(breaking(/^src\/(?!local\/|ops\/|cli\.ts|shop\/play\/)|^handlers\//, /^src\/local\//)).toEqual([]);
});

test('the linter is pure: text in, findings out', () => {
  expect(breaking(/^src\/lint\//, /./, /^(src\/lint\/|yaml$)/)).toEqual([]);
});

test('what the stack is made of is no part of what runs on Lambda', () => {
  expect(breaking(/^src\/(?!stack\/)|^handlers\//, /^src\/stack\//)).toEqual([]);
});

test('no rooms import each other in a circle', () => {
  const next = new Map(
    files.map((file) => [file, imports.filter(({ from }) => from === file).map(({ to }) => to)]),
  );
  const done = new Set<string>();
  const circle = (file: string, path: string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const to of next.get(file) ?? []) {
      const found = next.has(to) ? circle(to, [...path, file]) : undefined;
      if (found !== undefined) return found;
    }
    done.add(file);
    return undefined;
  };
  expect(files.map((file) => circle(file, [])).find((found) => found !== undefined)).toBeUndefined();
});
