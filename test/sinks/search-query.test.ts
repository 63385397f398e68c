import { beforeAll, expect, test } from 'vitest';
import { order } from '../../src/shop/entities/order.ts';
import { product } from '../../src/shop/entities/product.ts';
import type { Filters } from '../../src/sinks/search/filters.ts';
import { searching } from '../../src/sinks/search/query.ts';
import { defineEntity, type Entity } from '../../src/table/entity.ts';
import { eventOf } from '../support/records.ts';
import { epoch, history, lamp, productAt, tombstone, version } from './items.ts';
import { openWorld } from './world.ts';

const world = await openWorld();

type Options = { filters?: Filters<typeof product>; now?: number; prefix?: string };

const searchAt = (now: number, prefix = '') => searching({ client: world.client, prefix, now: () => now });
const search = searchAt(epoch);

async function found(text: string, { filters = {}, now = epoch, prefix = '' }: Options = {}) {
  const { hits } = await searchAt(now, prefix)(product, text, filters);
  return hits.map(({ document }) => document.productId).sort();
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
    await expect(search<Entity>(product, '', { [field]: 'x' })).rejects.toThrow(
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
  await expect(search(silent, '')).rejects.toThrow('Silent is not searched');
});

/** The ids of every page, and how often a page was asked for. */
async function paged(text: string, filters: Filters<typeof product>, size: number) {
  const ids: string[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const { total, hits, next } = await search(product, text, filters, { size, cursor });
    expect(total).toBe(await search(product, text, filters).then((all) => all.total));
    ids.push(...hits.map(({ document }) => String(document.productId)));
    cursor = next;
    pages += 1;
  } while (cursor !== undefined && pages < 20);
  return { ids, pages };
}

test.each([
  ['everything', '', {}],
  ['a text', 'lamp', {}],
  ['a text and a filter', 'lamp', { category: 'light' }],
])('the pages of %s hold each document once, in the order of one page', async (_what, text, filters) => {
  const whole = await search(product, text, filters);
  const { ids } = await paged(text, filters, 1);
  expect(ids).toEqual(whole.hits.map(({ document }) => document.productId));
  expect(new Set(ids).size).toBe(whole.total);
});

test('a cursor is good for its own search only', async () => {
  const { next = '' } = await search(product, 'lamp', {}, { size: 1 });
  expect(next).not.toContain('PRODUCT');
  const others = [
    search(product, 'lamp', { category: 'large' }, { cursor: next }),
    search(product, 'lamps', {}, { cursor: next }),
    search(order, 'lamp', {}, { cursor: next }),
    search(product, 'lamp', {}, { cursor: 'x' }),
    search(product, '', {}, { cursor: Buffer.from('["x"]').toString('base64url') }),
  ];
  for (const other of others)
    await expect(other).rejects.toThrow(
      'The cursor does not belong to this search. Begin again without one.',
    );
});

test('the words are marked where they were found, and all else is harmless as HTML', async () => {
  const item = productAt(1, lamp('sly', { name: 'Desk <script> "bulb"', description: '<b>bulb & more</b>' }));
  await world.take('project', eventOf(...history(undefined, item)));
  const [hit] = (await search(product, 'bulb')).hits;
  expect(hit?.highlights).toEqual({
    name: ['Desk &lt;script&gt; &quot;<em>bulb</em>&quot;'],
    description: ['&lt;b&gt;<em>bulb</em> &amp; more&lt;&#x2F;b&gt;'],
  });
  await world.take('project', eventOf(...history(item, tombstone(product, item, version(2)))));
});

test('a document is shown as it is declared, without any mark of Sluice', async () => {
  const [hit] = (await search(product, 'short')).hits;
  expect(Object.keys(hit?.document ?? {}).filter((name) => name.startsWith('sluice'))).toEqual([]);
});

test('a range has its borders', async () => {
  expect(await found('', { filters: { price: { gt: 20 } } })).toEqual(['floor']);
  expect(await found('lamp', { filters: { price: { gte: 20, lt: 90 } } })).toEqual(['desk', 'soon']);
});

test.each<[string, Record<string, unknown>]>([
  ['a text field', { name: 'lamp' }],
  ['a text for a number', { price: '20' }],
  ['no number', { price: Number.NaN }],
  ['an object for a keyword', { category: { value: 'light', boost: 3 } }],
  ['a comparison that is none', { price: { from: 1 } }],
  ['null', { category: null }],
  ['a list with something else', { category: ['light', 3] }],
])('a filter of %s never reaches the server', async (_what, filters) => {
  world.proxies.search.seen.length = 0;
  await expect(search<Entity>(product, '', filters as never)).rejects.toMatchObject({ name: 'Invalid' });
  expect(world.proxies.search.seen).toEqual([]);
});

test('more words than the server takes are refused with the number that it does', async () => {
  await expect(search(product, 'x '.repeat(300))).rejects.toThrow(
    'The text to search for may have 512 characters.',
  );
});

test('the prefix stands before the name of the index', async () => {
  await expect(found('lamp', { prefix: 'other-' })).rejects.toThrow('other-products');
});
