/** The search box at the root of the local API. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { app } from '../../src/app.ts';
import { type LocalApi, startApi } from '../../src/local/api.ts';
import { itemName } from '../../src/table/change.ts';
import { startShopApi, tea } from './shopApi.ts';

let shop: Awaited<ReturnType<typeof startShopApi>>;
let local: LocalApi;

async function index(...products: Record<string, unknown>[]) {
  const body = products.flatMap((product, at) => [
    { index: { _index: 'products', _id: itemName('Product', { pk: `p${at}`, sk: `p${at}` }) } },
    product,
  ]);
  await shop.search.bulk({ refresh: true, body });
}

beforeAll(async () => {
  shop = await startShopApi();
  local = await startApi(app, shop.api);
  await index(tea, { ...tea, productId: 'evil', name: '<script>alert("evil tea")</script>' });
});
afterAll(async () => {
  await local.stop();
  await shop.stop();
});

const page = async (query: string) => (await fetch(`${local.url}/${query}`)).text();

test('shows what the API finds', async () => {
  expect(await page('?q=green&in=products')).toContain('<td>Green tea</td>');
  expect(await page('?q=coffee&in=products')).toContain('0 found');
});

test('offers every index of the app, and says of another that there is none', async () => {
  const text = await page('');
  for (const { search } of app.entities) if (search) expect(text).toContain(`>${search.index}</option>`);
  expect(await page('?in=elsewhere')).toContain('There is no such search index.');
});

test('shows the text of an item, and of the question, as text', async () => {
  const found = await page('?q=evil&in=products');
  expect(found).toContain('&lt;script&gt;');
  expect(found).not.toContain('<script');
  const asked = await page(`?in=products&q=${encodeURIComponent('"><script>alert(1)</script>')}`);
  expect(asked).not.toContain('<script');
});
