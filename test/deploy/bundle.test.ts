/** What is uploaded: small, whole, and without what Lambda brings itself. */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { functionNames } from '../../src/stack/rights.ts';
import { fresh, history, nameOf, orderAt, purchase } from '../sinks/items.ts';
import { allTaken, openWorld } from '../sinks/world.ts';
import { root } from '../support/processes.ts';
import { eventOf } from '../support/records.ts';

const world = await openWorld();

const budget = 600_000;
/** Where the SDK is found; a packaging that runs meanwhile has a folder of its own. */
const folder = join(root, 'node_modules', '.sluice-bundle');

type Output = {
  inputs: Record<string, { bytesInOutput: number }>;
  imports: { path: string; external?: boolean }[];
};
type Account = { outputs: Record<string, Output> };

let account: Account;

beforeAll(async () => {
  // Not a folder that TypeScript reads: it is the Framework's own.
  const { bundle } = await import(pathToFileURL(join(root, 'deploy/bundle.js')).href);
  account = await bundle(folder);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fileOf = (name: string) => join(folder, name, 'index.js');
const keyOf = (name: string) => relative(root, fileOf(name));

describe.each(functionNames)('%s', (name) => {
  test(`is below ${budget / 1000} KB`, () => {
    const size = statSync(fileOf(name)).size;
    const fills = Object.entries(packagesIn(name)).sort(([, one], [, other]) => other - one);
    const largest = fills.slice(0, 5).map(([what, bytes]) => `${what} ${Math.round(bytes / 1000)}`);
    console.info(`${name}: ${Math.round(size / 1000)} KB, of which ${largest.join(', ')}`);
    expect(size).toBeLessThan(budget);
  });

  test('leaves the AWS SDK to Lambda, and brings all else', () => {
    expect(Object.keys(packagesIn(name)).filter((what) => /^@(aws-sdk|smithy)\//.test(what))).toEqual([]);
    const external = (account.outputs[keyOf(name)]?.imports ?? []).filter((one) => one.external);
    const others = external.map(({ path }) => path).filter((path) => !/^@aws-sdk\/client-/.test(path));
    expect(others.filter((path) => !isBuiltin(path))).toEqual([]);
  });

  test('can be loaded, and has a handler', async () => {
    expect((await import(pathToFileURL(fileOf(name)).href)).handler).toBeTypeOf('function');
    expect(readFileSync(join(folder, name, 'package.json'), 'utf8')).toContain('"module"');
  });

  test('has a source map that names our files', () => {
    const { sources } = JSON.parse(readFileSync(`${fileOf(name)}.map`, 'utf8'));
    expect(sources).toContainEqual(expect.stringContaining(`handlers/${name}.ts`));
  });
});

test('what is bundled does as it should: search, audit trail and outbox get an order', async () => {
  Object.assign(process.env, {
    SLUICE_SEARCH_ENDPOINT: world.proxies.search.url,
    SLUICE_SINCE: '1970-01-01T00:00:00Z',
    SLUICE_LOG_LEVEL: 'error',
  });
  const placed = orderAt(1, purchase(fresh('order')));
  for (const reader of ['project', 'notify']) {
    const { handler } = await import(pathToFileURL(fileOf(reader)).href);
    expect(await handler(eventOf(...history(undefined, placed)), {})).toEqual(allTaken);
  }
  expect(await world.document('orders', nameOf(placed))).toBeDefined();
  expect(await world.auditRows(placed)).toHaveLength(1);
  expect(await world.outboxRows(nameOf(placed))).toMatchObject([{ state: 'waiting' }]);
  expect(world.bus.events().map(({ 'detail-type': name }) => name)).toContain('OrderPlaced');
});

/** Bytes by package. */
function packagesIn(name: string): Record<string, number> {
  const inputs = Object.entries(account.outputs[keyOf(name)]?.inputs ?? {});
  const bytes: Record<string, number> = {};
  for (const [path, { bytesInOutput }] of inputs) {
    const what = /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? 'Sluice and the shop';
    bytes[what] = (bytes[what] ?? 0) + bytesInOutput;
  }
  return bytes;
}
