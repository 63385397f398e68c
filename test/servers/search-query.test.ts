import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { index, type Line, startProducts } from './opensearch.ts';

let products: Awaited<ReturnType<typeof startProducts>>;
beforeAll(async () => {
  products = await startProducts();
  await products.bulk(
    index('red'),
    {
      name: 'Red Wool Scarf',
      about: 'Warm, soft wool for winter',
      brand: 'Nord',
      price: 19.5,
      stock: 1,
      live: true,
      at: '2024-01-01T10:00:00Z',
      maker: { city: 'Oslo' },
    },
    index('blue'),
    {
      name: 'Blue Cotton Scarf',
      about: 'A light scarf',
      brand: 'Sud',
      price: 9.5,
      stock: 7,
      live: false,
      at: '2024-01-02',
      maker: [{ city: 'Rome' }, { city: 'Bari' }],
    },
    index('hat'),
    {
      name: 'Wool Hat',
      about: 'Red. And warm',
      brand: ['Nord', 'Sud'],
      price: [5, 50],
      at: Date.parse('2024-01-03'),
    },
    index('glove'),
    { name: ['Glove', 'Mitten'], brand: 'Est' },
  );
});
afterAll(() => products.stop());

const search = async (body: Line, names = 'products') =>
  (await products.client.search({ index: names, body })).body.hits;
const found = async (query: Line): Promise<string> =>
  (await search({ query, sort: ['brand', 'name.raw'] })).hits
    .map(({ _id }) => _id)
    .sort()
    .join(' ');
const words = (query: string, more: Line = {}): Line => ({
  multi_match: { query, fields: ['name', 'about'], ...more },
});

describe('a query finds', () => {
  it.each<[Line, string]>([
    [{ match_all: {} }, 'blue glove hat red'],
    [words('wool'), 'hat red'],
    [words('WOOL!'), 'hat red'],
    [words('mitten'), 'glove'],
    [words('blue hat'), 'blue hat'],
    [words('red wool', { operator: 'and' }), 'red'],
    [words('red winter', { operator: 'and' }), ''],
    [words('red winter', { operator: 'and', type: 'cross_fields' }), 'red'],
    [words('red winter', { type: 'cross_fields' }), 'hat red'],
    [words(''), ''],
    [{ multi_match: { query: 'Nord', fields: ['brand'] } }, 'hat red'],
    [{ multi_match: { query: 'nord', fields: ['brand'] } }, ''],
    [{ term: { brand: 'Nord' } }, 'hat red'],
    [{ term: { brand: { value: 'Sud' } } }, 'blue hat'],
    [{ term: { brand: 'nord' } }, ''],
    [{ term: { name: 'wool' } }, 'hat red'],
    [{ term: { name: 'Wool' } }, ''],
    [{ term: { 'name.raw': 'Wool Hat' } }, 'hat'],
    [{ term: { price: '9.5' } }, 'blue'],
    [{ term: { price: 50 } }, 'hat'],
    [{ term: { stock: 1.5 } }, ''],
    [{ term: { live: 'false' } }, 'blue'],
    [{ term: { at: '2024-01-01' } }, 'red'],
    [{ term: { 'maker.city': 'Bari' } }, 'blue'],
    [{ term: { colour: 'red' } }, ''],
    [{ terms: { brand: ['Est', 'Sud'] } }, 'blue glove hat'],
    [{ terms: { brand: [] } }, ''],
    [{ range: { price: { gt: 9.5 } } }, 'hat red'],
    [{ range: { price: { gte: 9.5, lt: 50 } } }, 'blue red'],
    [{ range: { stock: { lt: 6.5 } } }, 'red'],
    [{ range: { brand: { gte: 'Nord', lt: 'P' } } }, 'hat red'],
    [{ range: { at: { gte: '2024-01-02' } } }, 'blue hat'],
    [{ range: { at: { lte: '2024-01-01' } } }, 'red'],
    [{ range: { at: { lt: '2024-01-01' } } }, ''],
    [{ range: { at: { gt: '2024-01-01' } } }, 'blue hat'],
    [{ range: { at: { gt: '2024-01-01T09:00:00Z', lte: '2024-01-02T00:00:00+02:00' } } }, 'red'],
    [{ range: { at: { gte: Date.parse('2024-01-02') } } }, 'blue hat'],
    [{ exists: { field: 'stock' } }, 'blue red'],
    [{ exists: { field: 'maker' } }, 'blue red'],
    [{ exists: { field: 'colour' } }, ''],
    [{ bool: { must: [{ term: { brand: 'Nord' } }], must_not: { term: { live: true } } } }, 'hat'],
    [{ bool: { filter: { term: { brand: 'Sud' } }, must_not: [{ exists: { field: 'stock' } }] } }, 'hat'],
    [{ bool: { should: [{ term: { live: true } }, { term: { brand: 'Est' } }] } }, 'glove red'],
    [{ bool: { should: [{ term: { live: true } }], filter: [{ term: { brand: 'Nord' } }] } }, 'hat red'],
    [
      { bool: { should: [{ term: { live: true } }, { term: { brand: 'Nord' } }], minimum_should_match: 2 } },
      'red',
    ],
    [{ bool: { should: [{ term: { live: true } }], minimum_should_match: 0 } }, 'red'],
    [{ bool: {} }, 'blue glove hat red'],
  ])('%j: %s', async (query, ids) => {
    expect(await found(query)).toBe(ids);
  });
});

const ids = async (body: Line) => (await search(body)).hits.map(({ _id }) => _id);

describe('the hits are', () => {
  it('ordered by how well they match, where nothing else is asked for', async () => {
    const { hits, max_score } = await search({ query: words('red wool') });
    expect(hits[0]?._id).toBe('red');
    expect(max_score).toBe(hits[0]?._score);
    expect(hits.map(({ _score }) => _score)).toEqual(
      hits.map(({ _score }) => _score).toSorted((a, b) => Number(b) - Number(a)),
    );
  });

  it('moved by a boost', async () => {
    const boosted = (fields: string[]) => ids({ query: { multi_match: { query: 'red', fields } } });
    expect((await boosted(['name^9', 'about']))[0]).toBe('red');
    expect((await boosted(['name', 'about^9']))[0]).toBe('hat');
  });

  it('ordered by fields, those without a value last in both directions', async () => {
    expect(await ids({ sort: [{ price: 'asc' }] })).toEqual(['hat', 'blue', 'red', 'glove']);
    expect(await ids({ sort: [{ price: { order: 'desc' } }] })).toEqual(['hat', 'red', 'blue', 'glove']);
    const { hits, max_score } = await search({ sort: ['brand', { at: 'desc' }] });
    expect(hits.map(({ _id, sort }) => [_id, ...(sort ?? [])])).toEqual([
      ['glove', 'Est', null],
      ['hat', 'Nord', Date.parse('2024-01-03')],
      ['red', 'Nord', Date.parse('2024-01-01T10:00:00Z')],
      ['blue', 'Sud', Date.parse('2024-01-02')],
    ]);
    expect([max_score, hits[0]?._score]).toEqual([null, null]);
  });

  it('ordered by score beside a field', async () => {
    const should = [{ term: { brand: 'Est' } }];
    const query = { bool: { must: { match_all: {} }, should } };
    const { hits } = await search({ query, sort: ['_score', { price: 'asc' }] });
    expect(hits.map(({ _id, _score }) => [_id, _score])).toEqual([
      ['glove', 2],
      ['hat', 1],
      ['blue', 1],
      ['red', 1],
    ]);
  });

  it('given in pages, by place or after the last one', async () => {
    const sort = ['brand', 'name.raw'];
    expect(await ids({ sort, from: 1, size: 2 })).toEqual(['red', 'hat']);
    expect(await ids({ sort, size: 2, search_after: ['Nord', 'Red Wool Scarf'] })).toEqual(['hat', 'blue']);
    expect(await ids({ sort: [{ at: 'desc' }], search_after: ['2024-01-02'] })).toEqual(['red', 'glove']);
    expect(await ids({ sort, size: 0 })).toEqual([]);
  });

  it('counted in full, up to a bound, or not', async () => {
    expect((await search({})).total).toEqual({ value: 4, relation: 'eq' });
    expect((await search({ track_total_hits: 2 })).total).toEqual({ value: 2, relation: 'gte' });
    expect((await search({ track_total_hits: true, size: 1 })).total).toEqual({ value: 4, relation: 'eq' });
    expect((await search({ track_total_hits: false })).total).toBeUndefined();
  });

  it('given with the parts of their source that were asked for', async () => {
    const source = async (_source: unknown) =>
      (await search({ query: { term: { brand: 'Sud' } }, sort: 'stock', _source })).hits[0]?._source;
    expect(await source(['price', 'maker'])).toEqual({
      price: 9.5,
      maker: [{ city: 'Rome' }, { city: 'Bari' }],
    });
    expect(await source('maker.city')).toEqual({ maker: [{ city: 'Rome' }, { city: 'Bari' }] });
    expect(await source(false)).toBeUndefined();
    expect(Object.keys((await source(true)) ?? {})).toHaveLength(8);
  });

  it('marked where they match', async () => {
    const query = { bool: { must: [words('red SCARF')], filter: [{ term: { brand: 'Nord' } }] } };
    const highlight = { fields: { name: {}, about: {}, brand: {} } };
    const { hits } = await search({ query, highlight });
    expect(hits.map((hit) => [hit._id, hit.highlight])).toEqual([
      ['red', { name: ['<em>Red</em> Wool <em>Scarf</em>'], brand: ['<em>Nord</em>'] }],
      ['hat', { about: ['<em>Red</em>. And warm'], brand: ['<em>Nord</em>'] }],
    ]);
  });

  it('gathered from several indices', async () => {
    const { client } = products;
    const mappings = {
      dynamic: 'strict' as const,
      properties: { name: { type: 'text' as const }, price: { type: 'double' as const } },
    };
    await client.indices.create({ index: 'offers', body: { mappings } });
    await client.bulk({ body: [{ index: { _index: 'offers', _id: '1' } }, { name: 'Scarf', price: 10 }] });
    const { hits, total } = await search(
      { query: { multi_match: { query: 'scarf', fields: ['name'] } }, sort: 'price' },
      'products,offers',
    );
    expect(hits.map(({ _index, _id }) => `${_index}/${_id}`)).toEqual([
      'products/blue',
      'offers/1',
      'products/red',
    ]);
    expect(total).toEqual({ value: 3, relation: 'eq' });
    await expect(search({}, 'products,none')).rejects.toMatchObject({
      statusCode: 404,
      body: { error: { type: 'index_not_found_exception' } },
    });
  });

  it('as they are after each write: replaced and removed documents are not found', async () => {
    const { bulk } = products;
    const scoreOf = async (text: string) => (await search({ query: words(text) })).max_score;
    const before = await scoreOf('wool');
    const of = (text: string) => ids({ query: { multi_match: { query: text, fields: ['name'] } } });
    await bulk(index('new'), { name: 'Umbrella' });
    expect(await of('umbrella')).toEqual(['new']);
    await bulk(index('new'), { name: 'Parasol' });
    expect([await of('umbrella'), await of('parasol')]).toEqual([[], ['new']]);
    await bulk({ delete: { _index: 'products', _id: 'new' } });
    expect(await of('parasol')).toEqual([]);
    expect(await scoreOf('wool')).toBe(before);
  });

  it('also reached by parameters of the address', async () => {
    const { body } = await products.client.search({
      index: 'products',
      size: 1,
      from: 1,
      track_total_hits: true,
      body: { sort: ['brand'] },
    });
    expect(body.hits.hits.map(({ _id }) => _id)).toEqual(['red']);
  });
});

describe('a search is refused by the name of what it cannot do', () => {
  it.each<[Line, string]>([
    [{ aggs: { brands: { terms: { field: 'brand' } } } }, '[aggs]'],
    [{ query: { match: { name: 'wool' } } }, '[match]'],
    [{ query: { bool: { must: [{ fuzzy: { name: 'wol' } }] } } }, '[fuzzy]'],
    [{ query: { bool: { boost: 2 } } }, '[boost]'],
    [{ query: { bool: { should: [], minimum_should_match: '75%' } } }, '75%'],
    [{ query: words('wool', { fuzziness: 'AUTO' }) }, '[fuzziness]'],
    [{ query: words('wool', { type: 'phrase' }) }, 'phrase'],
    [{ query: { multi_match: { query: 'x', fields: ['na*'] } } }, 'na*'],
    [{ query: { multi_match: { query: '5', fields: ['price'] } } }, '[price]'],
    [{ query: { term: { brand: { value: 'Nord', boost: 2 } } } }, '[boost]'],
    [{ query: { term: { _id: 'red' } } }, '[_id]'],
    [{ query: { range: { at: { gte: '2024-01-01', format: 'yyyy' } } } }, '[format]'],
    [{ query: { range: { name: { gte: 'a' } } } }, '[name]'],
    [{ sort: [{ price: { order: 'asc', mode: 'avg' } }] }, '[mode]'],
    [{ sort: ['_doc'] }, '[_doc]'],
    [{ _source: ['na*'] }, 'na*'],
    [{ _source: { excludes: ['name'] } }, '[excludes]'],
    [{ highlight: { fields: { name: { number_of_fragments: 3 } } } }, '[number_of_fragments: 3]'],
    [{ highlight: { pre_tags: ['<b>'], fields: {} } }, '[pre_tags]'],
  ])('%j', async (body, named) => {
    const refusal = await search(body).then(
      () => undefined,
      (error) => error,
    );
    expect(refusal).toMatchObject({ statusCode: 400 });
    expect(refusal.body.error.root_cause[0].reason).toContain(named);
  });

  it.each<[Line, string]>([
    [{ query: { term: { price: 'cheap' } } }, 'query_shard_exception'],
    [{ query: { term: { live: 'maybe' } } }, 'query_shard_exception'],
    [{ query: { range: { at: { gte: 'now-1d' } } } }, 'parse_exception'],
    [{ query: { term: { brand: 'a', live: true } } }, 'parsing_exception'],
    [{ query: { multi_match: { fields: ['name'] } } }, 'parsing_exception'],
    [{ sort: ['name'] }, 'illegal_argument_exception'],
    [{ sort: ['colour'] }, 'query_shard_exception'],
    [{ from: 9_999, size: 2 }, 'illegal_argument_exception'],
    [{ from: -1 }, 'illegal_argument_exception'],
    [{ sort: ['brand'], search_after: ['a', 'b'] }, 'illegal_argument_exception'],
    [{ search_after: ['a'] }, 'illegal_argument_exception'],
  ])('%j is wrong for the real server too', async (body, type) => {
    await expect(search(body)).rejects.toMatchObject({
      statusCode: 400,
      body: { error: { root_cause: [{ type }] } },
    });
  });

  it('a parameter of the address', async () => {
    await expect(products.client.search({ index: 'products', q: 'name:wool' })).rejects.toThrow('[q]');
  });
});
