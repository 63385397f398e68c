import { beforeAll, expect, test } from 'vitest';
import { order } from '../../src/shop/entities/order.ts';
import { product } from '../../src/shop/entities/product.ts';
import { type SearchOptions, searchFor } from '../../src/sinks/search/query.ts';
import { defineEntity } from '../../src/table/entity.ts';
import { eventOf } from '../support/records.ts';
import { epoch, history, lamp, productAt, tombstone, version } from './items.ts';
import { openWorld } from './world.ts';

const world = await openWorld();

async function found(text: string, options: Partial<SearchOptions> = {}): Promise<unknown[]> {
  const page = await searchFor(world.client, product, text, { prefix: '', now: epoch, ...options });
  return page.hits.map(({ document }) => document.productId).sort();
}

beforeAll(async () => {
  const shelf = [
    lamp('desk', { name: 'Desk lamp', price: 20 }),
    lamp('floor', { name: 'Floor lamp', price: 90, category: 'large' }),
    lamp('odd', { name: 'Plug AND (socket)', description: 'name:* || "quoted" ~2', category: 'parts' }),
    lamp('sold', { name: 'Sold lamp' }),
    lamp('soon', { name: 'Short lamp' }),
  ];
  const stamps = (id: unknown) => (id === 'soon' ? { _ttl: epoch / 1000 + 60 } : {});
  const records = shelf.flatMap((item) => history(undefined, productAt(1, item, stamps(item.productId))));
  const sold = lamp('sold', { name: 'Sold lamp' });
  await world.take('project', eventOf(...records));
  await world.take('project', eventOf(...history(productAt(1, sold), tombstone(product, sold, version(2)))));
});

test('words find what holds all of them, in whichever text field', async () => {
  expect(await found('lamp')).toEqual(['desk', 'floor', 'soon']);
  expect(await found('LAMP shines desk')).toEqual(['desk']);
  expect(await found('lamp sofa')).toEqual([]);
});

test('no text finds all, but never what was removed', async () => {
  expect(await found('  ')).toEqual(['desk', 'floor', 'odd', 'soon']);
  expect(await found('sold')).toEqual([]);
});

test('an item is shown until it expires, to the second', async () => {
  expect(await found('short', { now: epoch + 59_999 })).toEqual(['soon']);
  expect(await found('short', { now: epoch + 60_000 })).toEqual([]);
  expect(await found('', { now: epoch + 60_000 })).not.toContain('soon');
});

test.each([
  ['a wildcard', '*', []],
  ['a field with a wildcard', 'name:*', ['odd']],
  ['a regular expression', '/.*/', []],
  ['an operator', 'desk OR floor', []],
  ['a negation', 'lamp -desk', ['desk']],
  ['an unclosed quote and bracket', 'desk" OR ("', []],
  ['a query in JSON', '{"match_all":{}}', []],
])('%s in the text is only text', async (_what, text, expected) => {
  expect(await found(text)).toEqual(expected);
});

test('text with the marks of a query language finds the words between them', async () => {
  expect(await found('(socket) AND plug')).toEqual(['odd']);
  expect(await found('"quoted"')).toEqual(['odd']);
});

test('filters are exact, and several values mean any of them', async () => {
  expect(await found('', { filters: { category: 'large' } })).toEqual(['floor']);
  expect(await found('', { filters: { category: ['large', 'parts'] } })).toEqual(['floor', 'odd']);
  expect(await found('lamp', { filters: { category: 'light', price: 20 } })).toEqual(['desk', 'soon']);
  expect(await found('', { filters: { category: 'larg*' } })).toEqual([]);
  expect(await found('', { filters: { category: [] } })).toEqual([]);
});

test.each(['colour', 'constructor', 'toString', 'sluiceRemovedAt'])(
  'a filter on "%s", which is no search field, is an error that names it',
  async (field) => {
    await expect(found('', { filters: { [field]: 'x' } })).rejects.toThrow(
      `Product has no search field "${field}"`,
    );
  },
);

test('an entity that is not searched says so', async () => {
  const silent = defineEntity({
    name: 'Silent',
    schema: order.schema,
    key: { pk: 'SILENT', sk: 'SILENT', from: 'natural' },
  });
  await expect(searchFor(world.client, silent, '', { prefix: '', now: epoch })).rejects.toThrow(
    'Silent is not searched',
  );
});

test('pages have a size and say how many there are in all', async () => {
  const page = await searchFor(world.client, product, '', { prefix: '', now: epoch, from: 1, size: 2 });
  expect(page).toMatchObject({ total: 4, hits: [{}, {}] });
});

test('the prefix stands before the name of the index', async () => {
  await expect(found('lamp', { prefix: 'other-' })).rejects.toThrow('other-products');
});
