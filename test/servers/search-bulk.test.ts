import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { index, type Line, remove, startProducts, version } from './opensearch.ts';

let now = 0;
let products: Awaited<ReturnType<typeof startProducts>>;
beforeEach(async () => {
  now = 1_000_000;
  products = await startProducts({ now: () => now });
});
afterEach(() => products.stop());

const HAT = { name: 'Hat' };
const CONFLICT = [409, 'version_conflict_engine_exception'];
const at = (number: number, type?: string) => index('1', version(number, type));
const removedAt = (number: number, type?: string) => remove('1', version(number, type));

describe('by version external_gte', () => {
  it('a newer or equal version is written, an older one refused', async () => {
    const { outcome, client } = products;
    expect(await outcome(at(5), HAT)).toEqual([201]);
    expect(await outcome(at(5), { name: 'Same' })).toEqual([200]);
    expect(await outcome(at(4), { name: 'Late' })).toEqual(CONFLICT);
    expect(await outcome(at(6), { name: 'Newer' })).toEqual([200]);
    const { body } = await client.get({ index: 'products', id: '1' });
    expect(body).toMatchObject({ _version: 6, _source: { name: 'Newer' } });
  });

  it('a removal follows the same rule, and an older write cannot undo it', async () => {
    const { outcome } = products;
    await outcome(at(5), HAT);
    expect(await outcome(removedAt(4))).toEqual(CONFLICT);
    expect(await outcome(removedAt(6))).toEqual([200]);
    expect(await outcome(at(5), HAT)).toEqual(CONFLICT);
    expect(await outcome(removedAt(5))).toEqual(CONFLICT);
    expect(await outcome(at(6), HAT)).toEqual([201]);
  });

  it('a removal of what is not there is no error, but remembered', async () => {
    const { bulk, outcome } = products;
    const { errors, items } = await bulk(removedAt(5));
    expect([errors, items[0]?.delete]).toMatchObject([
      false,
      { status: 404, result: 'not_found', _version: 5 },
    ]);
    expect(await outcome(at(4), HAT)).toEqual(CONFLICT);
  });

  it('a removal is forgotten after 60 seconds', async () => {
    const { outcome } = products;
    await outcome(at(5), HAT);
    await outcome(removedAt(6));
    now += 59_999;
    expect(await outcome(at(5), HAT)).toEqual(CONFLICT);
    now += 1;
    expect(await outcome(at(5), HAT)).toEqual([201]);
  });
});

it('by version external, an equal version is refused too', async () => {
  const { outcome } = products;
  expect(await outcome(at(5, 'external'), HAT)).toEqual([201]);
  expect(await outcome(at(5, 'external'), HAT)).toEqual(CONFLICT);
  expect(await outcome(at(6, 'external'), HAT)).toEqual([200]);
  expect(await outcome(removedAt(6, 'external'))).toEqual(CONFLICT);
  expect(await outcome(removedAt(7, 'external'))).toEqual([200]);
});

it('without a version each write counts one up', async () => {
  const { bulk } = products;
  const { items } = await bulk(index('1'), HAT, index('1'), HAT, remove('1'), index('1'), HAT);
  expect(items.map((item) => Object.values(item)[0])).toMatchObject([
    { result: 'created', _version: 1, status: 201 },
    { result: 'updated', _version: 2, status: 200 },
    { result: 'deleted', _version: 3, status: 200 },
    { result: 'created', _version: 4, status: 201 },
  ]);
});

it('a document without an id is given one', async () => {
  const { bulk, client } = products;
  const { items } = await bulk({ index: { _index: 'products' } }, HAT);
  const _id = items[0]?.index?._id ?? '';
  expect((await client.get({ index: 'products', id: _id })).body._source).toEqual(HAT);
});

describe('one bad document fails alone', () => {
  it.each<[string, Line, string, string?]>([
    ['an unknown field', { colour: 'red' }, 'strict_dynamic_mapping_exception'],
    ['an unknown field that is null', { colour: null }, 'strict_dynamic_mapping_exception'],
    ['an unknown field inside', { maker: { street: 'x' } }, 'strict_dynamic_mapping_exception'],
    ['a number that is none', { price: 'cheap' }, 'mapper_parsing_exception', 'number_format_exception'],
    ['a number that is true', { price: true }, 'mapper_parsing_exception'],
    ['an integer out of range', { stock: 3_000_000_000 }, 'mapper_parsing_exception'],
    ['a date that is none', { at: 'soon' }, 'mapper_parsing_exception', 'illegal_argument_exception'],
    ['a date that no calendar has', { at: '2025-02-29' }, 'mapper_parsing_exception'],
    ['a boolean that is none', { live: 'maybe' }, 'mapper_parsing_exception'],
    ['a boolean that is a number', { live: 1 }, 'mapper_parsing_exception'],
    ['an object for a text', { name: { a: 1 } }, 'mapper_parsing_exception', 'illegal_state_exception'],
    ['a text for an object', { maker: 'x' }, 'mapper_parsing_exception'],
    ['a keyword too long', { brand: 'x'.repeat(32_767) }, 'illegal_argument_exception'],
  ])('%s', async (_, document, type, cause) => {
    const { bulk, client } = products;
    const { errors, items } = await bulk(index('1'), HAT, index('2'), document, index('3'), HAT);
    expect(errors).toBe(true);
    expect(items.map(({ index: item }) => [item?.status, item?.error?.type])).toEqual([
      [201, undefined],
      [400, type],
      [201, undefined],
    ]);
    if (cause !== undefined) expect(items[1]?.index?.error?.caused_by?.type).toBe(cause);
    expect((await client.count({ index: 'products' })).body.count).toBe(2);
  });

  it('an empty id, broken JSON, a missing index', async () => {
    const { outcome, raw } = products;
    expect(await outcome(index(''), HAT)).toEqual([400, 'illegal_argument_exception']);
    expect(await outcome(index('1', { _index: 'none' }), HAT)).toEqual([404, 'index_not_found_exception']);
    expect(await outcome(remove('1', { _index: 'none' }))).toEqual([404, 'index_not_found_exception']);
    const broken = await raw(`${JSON.stringify(index('1'))}\n{"name":\n`);
    expect(broken).toEqual({ status: 200, text: expect.stringContaining('mapper_parsing_exception') });
  });

  it('and leaves what was there before', async () => {
    const { bulk, client } = products;
    await bulk(index('1'), HAT);
    await bulk(index('1'), { name: 'Cap', price: 'cheap' });
    expect((await client.get({ index: 'products', id: '1' })).body).toMatchObject({
      _version: 1,
      _source: HAT,
    });
  });
});

it.each<Line>([
  { stock: 1.7 },
  { stock: '7' },
  { price: '1.5', live: 'true' },
  { name: null, maker: null, price: [] },
  { name: ['Glove', 'Mitten'], maker: [{ city: 'Rome' }, { city: 'Bari' }] },
  { at: 1_704_067_200_000 },
  { at: '2024' },
  { at: '2024-02-29T10:00:00.123456789+05:30' },
  { name: 5, brand: true },
])('%j is taken, as the real server takes it', async (document) => {
  const { outcome, client } = products;
  expect(await outcome(index('1'), document)).toEqual([201]);
  expect((await client.get({ index: 'products', id: '1' })).body._source).toEqual(document);
});

describe('a whole bulk is refused, and nothing of it applied', () => {
  it.each<[string, Line[], string]>([
    ['an id of 513 bytes', [index(`${'ä'.repeat(256)}x`), HAT], 'action_request_validation_exception'],
    ['a negative version', [index('2', version(-1)), HAT], 'action_request_validation_exception'],
    ['a version without a type', [index('2', { version: 3 }), HAT], 'action_request_validation_exception'],
    ['a version beyond a long', [index('2', version(2 ** 63)), HAT], 'input_coercion_exception'],
    [
      'another operation',
      [{ update: { _index: 'products', _id: '2' } }, { doc: HAT }],
      'illegal_argument_exception',
    ],
    ['an unknown parameter', [index('2', { colour: 'red' }), HAT], 'illegal_argument_exception'],
    ['a removal without an id', [{ delete: { _index: 'products' } }], 'action_request_validation_exception'],
  ])('%s', async (_, lines, type) => {
    const { bulk, client } = products;
    await expect(bulk(index('1'), HAT, ...lines)).rejects.toMatchObject({
      statusCode: 400,
      body: { error: { type } },
    });
    expect((await client.count({ index: 'products' })).body.count).toBe(0);
  });

  it('a body that is empty, ends without a newline, or is no bulk', async () => {
    const { raw } = products;
    const action = JSON.stringify(index('1'));
    for (const body of ['', `${action}\n{"name":"Hat"}`, 'nonsense\n', '{"index":5}\n{}\n', `${action}\n`]) {
      expect((await raw(body)).status, body).toBe(400);
    }
  });

  it('an id of 512 bytes is taken', async () => {
    expect(await products.outcome(index('ä'.repeat(256)), HAT)).toEqual([201]);
  });
});

it('the index of the address is the one of every operation that names none', async () => {
  const { client } = products;
  const { body } = await client.bulk({
    index: 'products',
    body: [{ index: { _id: '1' } }, HAT, { delete: { _id: '1' } }],
  });
  expect(body.items).toMatchObject([{ index: { status: 201 } }, { delete: { status: 200 } }]);
});
