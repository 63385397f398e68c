/** Search that is switched on later: what the table holds is brought into it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { app } from '../../src/app.ts';
import { product } from '../../src/shop/entities/product.ts';
import { ensureIndices } from '../../src/sinks/search/indices.ts';
import { encodeItem } from '../../src/table/attributes.ts';
import type { Fields } from '../../src/table/entity.ts';
import { lamp, nameOf, productAt, tombstone, version } from '../sinks/items.ts';
import { openWorld } from '../sinks/world.ts';
import { root } from '../support/processes.ts';

const world = await openWorld();

const put = (item: Fields) =>
  world.dynamodb.send(new PutItemCommand({ TableName: world.config.SLUICE_TABLE, Item: encodeItem(item) }));

function backfill(
  endpoint = world.proxies.search.url,
  ...flags: string[]
): Promise<{ status: number; out: string; told: string }> {
  const env = { ...process.env, SLUICE_SEARCH_ENDPOINT: endpoint, SLUICE_SEARCH_PREFIX: 'new-' };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'bin/sluice.js'), 'backfill', '--aws', ...flags],
      { env },
      (error, out, told) => resolve({ status: Number(error?.code ?? 0), out, told }),
    );
  });
}

const document = (form: Fields) => world.document('new-products', nameOf(form));

test('every item is shown as it is, under its own version, and again changes nothing', async () => {
  const [one, other] = [productAt(3, lamp('one')), productAt(1, lamp('other'))];
  for (const form of [one, other, tombstone(product, lamp('gone'), version(2)), { pk: 'SESSION#1', sk: 'x' }])
    await put(form);
  for (let times = 0; times < 2; times++) {
    const { status, out } = await backfill();
    expect(out).toMatch(/^2 items brought into search in the AWS account .*, 0 not\.$/m);
    expect(status).toBe(0);
    expect(await document(one)).toMatchObject({ version: version(3), source: { productId: 'one' } });
    expect(await document(other)).toMatchObject({ version: version(1) });
  }
});

test('what the functions have written since stands', async () => {
  const form = productAt(1, lamp('moving'));
  await put(form);
  await ensureIndices(world.client, 'new-', app.entities);
  const place = { _index: 'new-products', _id: nameOf(form) };
  const newer = { ...place, version: version(9), version_type: 'external_gte' } as const;
  await world.client.bulk({ body: [{ index: newer }, { productId: 'moving', stock: 1 }] });
  const { out } = await backfill();
  expect(await document(form)).toMatchObject({ version: version(9), source: { stock: 1 } });
  expect(out).toMatch(/^ {2}1 were there already, newer/m);
});

test('--rebuild brings all into a new index, which is found under the same name', async () => {
  const form = productAt(4, lamp('rebuilt'));
  await put(form);
  const { status } = await backfill(world.proxies.search.url, '--rebuild');
  expect(status).toBe(0);
  const { body } = await world.client.indices.get({ index: 'new-products*' });
  expect(Object.keys(body)).toEqual(['new-products-v2']);
  expect(await document(form)).toMatchObject({ version: version(4), source: { productId: 'rebuilt' } });
});

test('a service that is too busy for some seconds is waited for', async () => {
  await put(productAt(1, lamp('patient')));
  let refusals = 0;
  world.proxies.search.conduct = ({ path }) =>
    path.includes('_bulk') && refusals++ < 3 ? { status: 429, body: '{}' } : undefined;
  const { status, out } = await backfill();
  expect(out).toMatch(/[1-9] items brought .* 0 not\./);
  expect(status).toBe(0);
  expect(await document(productAt(1, lamp('patient')))).toBeDefined();
});

test('where it stays away, it is told of how many items, and why', async () => {
  world.proxies.search.conduct = ({ path }) =>
    path.includes('_bulk') ? { status: 503, body: '{}' } : undefined;
  const { status, out } = await backfill();
  expect(status).toBe(1);
  expect(out).toMatch(/^ {2}[1-9] × .*(503|the breaker is open).*, such as Product\/PRODUCT#/m);
  expect(out).toMatch(/^0 items brought .*, [1-9] not\.$/m);
}, 60_000);

test('what cannot be brought is named, with status 1, and stops nothing else', async () => {
  await put({ ...productAt(1, lamp('odd')), price: 'much' });
  const { status, out } = await backfill();
  expect(status).toBe(1);
  expect(out).toMatch(/1 × the item does not fit Product: price.*such as Product\/PRODUCT#odd/);
  expect(out).toMatch(/[1-9] items brought .* 1 not\./);
  const rebuilt = await backfill(world.proxies.search.url, '--rebuild');
  expect(rebuilt).toMatchObject({
    status: 1,
    out: expect.stringContaining('Searches go on with the old indices'),
  });
  const { body } = await world.client.indices.get({ index: 'new-products' });
  expect(Object.keys(body)).toEqual(['new-products-v2']);
});

test('where search is off it says how to name it', async () => {
  const { status, told } = await backfill('');
  expect(status).toBe(1);
  expect(told).toContain('SLUICE_SEARCH_ENDPOINT');
});
