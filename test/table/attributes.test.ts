import { isDeepStrictEqual } from 'node:util';
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  AttributeError,
  decodeAttribute,
  decodeImage,
  ExactNumber,
  encodeAttribute,
  encodeItem,
  type Image,
} from '../../src/table/attributes.ts';
import { type LocalShop, localShop } from '../support/shop.ts';
import { anyValue } from './values.ts';

const oneOfEach = {
  text: 'tea',
  emptyText: '',
  number: 19.9,
  exact: new ExactNumber('12345678901234567890123456789012345678'),
  bytes: new Uint8Array([0, 254, 255]),
  emptyBytes: new Uint8Array(),
  yes: true,
  nothing: null,
  texts: new Set(['a', 'b']),
  numbers: new Set([1, 2.5]),
  binaries: new Set([new Uint8Array([1]), new Uint8Array([2, 3])]),
  list: ['a', 1, [null], {}],
  emptyList: [],
  map: { inner: { deep: [new Set(['x'])] } },
  emptyMap: {},
};

/** As Lambda delivers it: JSON, in which bytes are base64 text. */
function asJson(image: unknown): Image {
  return JSON.parse(
    JSON.stringify(image, (_, member: unknown) =>
      member instanceof Uint8Array ? Buffer.from(member).toString('base64') : member,
    ),
  );
}

test('every value comes back as it was, whether its bytes are bytes or base64 text', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const attribute = encodeAttribute(value);
      expect(isDeepStrictEqual(decodeAttribute(attribute), value)).toBe(true);
      expect(isDeepStrictEqual(decodeAttribute(asJson(attribute)), value)).toBe(true);
    }),
  );
});

test('a member named like one of Object is a member like any other, at every depth', () => {
  const names = ['__proto__', 'constructor', 'hasOwnProperty'];
  const inner = Object.fromEntries(names.map((name) => [name, name]));
  const outer = Object.fromEntries(names.map((name) => [name, inner]));
  const decoded = decodeImage(JSON.parse(JSON.stringify(encodeItem(outer))));
  expect(Object.keys(decoded)).toEqual(names);
  expect(isDeepStrictEqual(decoded, outer)).toBe(true);
  expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
  expect(() => decodeAttribute({ constructor: 'x' })).toThrow(AttributeError);
});

test.each([
  '9007199254740993',
  '12345678901234567890123456789012345678',
  '-0.10000000000000000555111512312578270212',
  '1.0000000000000000000000000000000000010',
])('the number %s, which JavaScript cannot hold, is kept as it is', (text) => {
  const decoded = decodeAttribute({ N: text });
  expect(decoded).toEqual(new ExactNumber(text));
  expect(encodeAttribute(decoded)).toEqual({ N: text });
  expect(decodeAttribute({ NS: [text] })).toEqual(new Set([new ExactNumber(text)]));
});

test.each([
  ['1e-130', 1e-130],
  ['9.9999999E+125', 9.9999999e125],
  ['1.10', 1.1],
  ['100', 100],
  ['-0.5', -0.5],
  ['0', 0],
])('the number %s is the JavaScript number %d', (text, number) => {
  expect(decodeAttribute({ N: text })).toBe(number);
});

test.each<[string, unknown]>([
  ['undefined', undefined],
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['an empty set', new Set()],
  ['a set of texts and numbers', new Set(['a', 1])],
  ['a set of lists', new Set([[]])],
  ['a function', () => 1],
  ['a date', new Date(0)],
  ['a map', new Map([['a', 1]])],
  ['an instance of a class', new URL('http://a.b')],
])('%s has no attribute value', (_, value) => {
  expect(() => encodeAttribute(value)).toThrow(AttributeError);
  expect(() => encodeAttribute([value])).toThrow(AttributeError);
});

test('a field that is undefined is left out of an item', () => {
  expect(encodeItem({ a: undefined, b: { c: undefined } })).toEqual({ b: { M: {} } });
});

test.each<[unknown]>([
  [{ S: ['SECRET'] }],
  [{ N: 'SECRET' }],
  [{ N: '12SECRET' }],
  [{ N: { SECRET: 'SECRET' } }],
  [{ B: 'SECRET!' }],
  [{ BOOL: 'SECRET' }],
  [{ NULL: 'SECRET' }],
  [{ SS: 'SECRET' }],
  [{ SS: [{ S: 'SECRET' }] }],
  [{ NS: ['1', 'SECRET'] }],
  [{ BS: ['SECRET!'] }],
  [{ L: { S: 'SECRET' } }],
  [{ L: ['SECRET'] }],
  [{ M: ['SECRET'] }],
  [{ M: 'SECRET' }],
  [{ M: { name: 'SECRET' } }],
  [{ SECRET: 'SECRET' }],
  [{ S: 'SECRET', N: '1' }],
  ['SECRET'],
  [['SECRET']],
  [{}],
  [null],
  [undefined],
])('%j is no attribute value, and the error does not repeat it', (attribute) => {
  const error = caught(() => decodeImage({ field: attribute }));
  expect(error).toBeInstanceOf(AttributeError);
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    expect(cause.message).not.toContain('SECRET');
  }
  expect(String(error)).toContain('field');
});

test.each([null, 'SECRET', 1, ['SECRET']])('%j is no image', (image) => {
  expect(caught(() => decodeImage(image as unknown as Image))).toBeInstanceOf(AttributeError);
});

describe('on a real table', () => {
  let shop: LocalShop;
  beforeAll(async () => {
    shop = await localShop();
  });
  afterAll(() => shop?.stop());

  test('every attribute type is read as it was written', async () => {
    const { dynamodb, store } = shop;
    const item = { pk: 'a', sk: 'b', ...oneOfEach };
    await dynamodb.send(new PutItemCommand({ TableName: store.tableName, Item: encodeItem(item) }));
    const Key = encodeItem({ pk: 'a', sk: 'b' });
    const read = await dynamodb.send(new GetItemCommand({ TableName: store.tableName, Key }));
    expect(decodeImage(read.Item ?? {})).toEqual(item);
  });
});

function caught(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}
