import { afterEach, beforeEach, expect, it } from 'vitest';
import { index, mappings, startProducts } from './opensearch.ts';

let products: Awaited<ReturnType<typeof startProducts>>;
beforeEach(async () => {
  products = await startProducts();
});
afterEach(() => products.stop());

const refused = (type: string, status = 400) => ({ statusCode: status, body: { error: { type } } });

it('the server says what it is, and that it is well', async () => {
  const { client } = products;
  expect((await client.info()).body.version.distribution).toBe('opensearch');
  expect((await client.cluster.health({ wait_for_status: 'yellow' })).body.status).toBe('green');
  expect((await client.ping()).body).toBe(true);
});

it('an index is there with its mappings from its creation to its removal', async () => {
  const { client } = products;
  expect((await client.indices.exists({ index: 'products' })).body).toBe(true);
  const described = (await client.indices.get({ index: 'products' })).body;
  expect(described.products?.mappings).toEqual(mappings);
  expect((await client.indices.delete({ index: 'products' })).body).toEqual({ acknowledged: true });
  expect((await client.indices.exists({ index: 'products' })).body).toBe(false);
  await expect(client.indices.get({ index: 'products' })).rejects.toMatchObject(
    refused('index_not_found_exception', 404),
  );
  await expect(client.indices.delete({ index: 'products' })).rejects.toMatchObject(
    refused('index_not_found_exception', 404),
  );
});

it('an index is not created twice, nor under a name that is not allowed', async () => {
  const { client } = products;
  await expect(client.indices.create({ index: 'products' })).rejects.toMatchObject(
    refused('resource_already_exists_exception'),
  );
  await expect(client.indices.create({ index: 'Products' })).rejects.toMatchObject(
    refused('invalid_index_name_exception'),
  );
});

it.each([
  [
    'a type that it does not know',
    { mappings: { dynamic: 'strict', properties: { a: { type: 'geo_point' } } } },
    'geo_point',
  ],
  ['guessed fields', { mappings: { properties: {} } }, 'dynamic: true'],
  [
    'another analyzer',
    { mappings: { dynamic: 'strict', properties: { a: { type: 'text', analyzer: 'english' } } } },
    'analyzer',
  ],
  [
    'a setting that would change its answers',
    { mappings: { dynamic: 'strict' }, settings: { index: { sort: {} } } },
    'sort',
  ],
  [
    'an alias for a part of it',
    { mappings: { dynamic: 'strict' }, aliases: { a: { filter: {} } } },
    '[filter] in [aliases.a]',
  ],
])('an index with %s is refused by name', async (_, body, named) => {
  await expect(products.client.indices.create({ index: 'other', body: body as never })).rejects.toThrow(
    named,
  );
});

it('settings that change no answer are taken', async () => {
  const settings = { index: { number_of_shards: 1, number_of_replicas: 0 }, refresh_interval: '1s' };
  const { client } = products;
  expect((await client.indices.create({ index: 'other', body: { settings, mappings } })).statusCode).toBe(
    200,
  );
});

it('a document is read by its id at once, with its version', async () => {
  const { client, bulk } = products;
  await bulk(index('a/b?c', { version: 7, version_type: 'external_gte' }), { name: 'Hat' });
  const { body } = await client.get({ index: 'products', id: 'a/b?c' });
  expect(body).toMatchObject({
    _index: 'products',
    _id: 'a/b?c',
    _version: 7,
    found: true,
    _source: { name: 'Hat' },
  });
  expect((await client.exists({ index: 'products', id: 'a/b?c' })).body).toBe(true);
  await expect(client.get({ index: 'products', id: 'no' })).rejects.toMatchObject({
    statusCode: 404,
    body: { found: false },
  });
  await expect(client.get({ index: 'none', id: 'a' })).rejects.toMatchObject(
    refused('index_not_found_exception', 404),
  );
});

it('several documents are read in one call, each with its own outcome', async () => {
  const { client, bulk } = products;
  await bulk(index('1'), { name: 'Hat' });
  const docs = [
    { _index: 'products', _id: '1' },
    { _index: 'products', _id: '2' },
    { _index: 'none', _id: '1' },
  ];
  const { body } = await client.mget({ body: { docs } });
  expect(body.docs).toMatchObject([
    { _id: '1', found: true, _source: { name: 'Hat' }, _version: 1 },
    { _id: '2', found: false },
    { _id: '1', error: { type: 'index_not_found_exception' } },
  ]);
  const byIds = await client.mget({ index: 'products', body: { ids: ['1'] } });
  expect(byIds.body.docs).toMatchObject([{ found: true }]);
  await expect(client.mget({ body: { docs: [] } })).rejects.toMatchObject(
    refused('action_request_validation_exception'),
  );
});

it('documents are counted, all or those of a query', async () => {
  const { client, bulk } = products;
  await bulk(index('1'), { brand: 'Nord' }, index('2'), { brand: 'Sud' });
  expect((await client.count({ index: 'products' })).body.count).toBe(2);
  const query = { term: { brand: { value: 'Sud' } } };
  expect((await client.count({ index: 'products', body: { query } })).body.count).toBe(1);
});

it('a refresh is taken, for one index and for all', async () => {
  const { client } = products;
  expect((await client.indices.refresh({ index: 'products' })).statusCode).toBe(200);
  expect((await client.indices.refresh()).statusCode).toBe(200);
  await expect(client.indices.refresh({ index: 'none' })).rejects.toMatchObject(
    refused('index_not_found_exception', 404),
  );
});

it('what it does not serve is refused with the address', async () => {
  const { client, url } = products;
  await expect(client.indices.putSettings({ index: 'products', body: {} })).rejects.toMatchObject({
    statusCode: 400,
    body: { error: 'no handler found for uri [/products/_settings] and method [PUT]' },
  });
  const response = await fetch(`${url}/products`);
  expect(response.headers.get('content-type')).toBe('application/json; charset=UTF-8');
});
