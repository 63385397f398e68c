import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalNumber, encodeAttribute, type Image } from '../../src/table/attributes.ts';
import { canonicalAttribute, canonicalImage, canonicalJson } from '../../src/table/canonical.ts';
import { smallValue } from './values.ts';

const one = new Uint8Array([1]);
const two = new Uint8Array([2]);
const set = (...members: string[]) => ({ SS: members });

test.each<[string, Image, Image]>([
  ['a number with another zero', { n: { N: '1.10' } }, { n: { N: '1.1' } }],
  ['a number with an exponent', { n: { N: '1200' } }, { n: { N: '1.2E+3' } }],
  ['a set in another order', { s: { SS: ['b', 'a'] } }, { s: { SS: ['a', 'b'] } }],
  ['numbers in another order', { s: { NS: ['10', '2.0'] } }, { s: { NS: ['2', '1e1'] } }],
  ['binaries in another order', { s: { BS: ['Ag==', 'AQ=='] } }, { s: { BS: [one, two] } }],
  ['bytes as base64 text', { b: { B: 'AQ==' } }, { b: { B: one } }],
  ['attributes in another order', { a: { S: 'x' }, b: { S: 'y' } }, { b: { S: 'y' }, a: { S: 'x' } }],
  [
    'a set deep inside',
    { l: { L: [{ M: { s: set('a', 'b') } }] } },
    { l: { L: [{ M: { s: set('b', 'a') } }] } },
  ],
])('%s says the same', (_, image, other) => {
  expect(canonicalImage(image)).toBe(canonicalImage(other));
});

test.each<[string, Image, Image]>([
  ['the last of 38 digits', { n: { N: `${'1'.repeat(37)}2` } }, { n: { N: `${'1'.repeat(37)}3` } }],
  ['a sign', { n: { N: '-1' } }, { n: { N: '1' } }],
  ['a number and its text', { n: { N: '1' } }, { n: { S: '1' } }],
  ['a list in another order', { l: { L: [{ S: 'a' }, { S: 'b' }] } }, { l: { L: [{ S: 'b' }, { S: 'a' }] } }],
  ['a set and a list', { s: { SS: ['a'] } }, { s: { L: [{ S: 'a' }] } }],
  ['a missing attribute and null', {}, { n: { NULL: true } }],
  ['quotes', { a: { S: '"},"b":{"S":"' } }, { a: { S: '' }, b: { S: '' } }],
])('%s makes a difference', (_, image, other) => {
  expect(canonicalImage(image)).not.toBe(canonicalImage(other));
});

test('two values have one text exactly if they are equal', () => {
  const text = (value: unknown) => canonicalAttribute(encodeAttribute(value));
  fc.assert(
    fc.property(smallValue, smallValue, (one, other) => {
      expect(text(one) === text(other)).toBe(isDeepStrictEqual(one, other));
    }),
    { numRuns: 1000 },
  );
});

describe('a number', () => {
  const digits = fc.bigInt({ min: 0n, max: 10n ** 38n - 1n });
  const exponent = fc.integer({ min: -130, max: 87 });

  test('has one text, however it is written', () => {
    fc.assert(
      fc.property(digits, exponent, fc.nat(40), fc.nat(5), (value, power, point, zeros) => {
        const written = String(value).padStart(point + zeros, '0') + '0'.repeat(zeros);
        const shifted = `${written.slice(0, point)}.${written.slice(point)}e${power - zeros + written.length - point}`;
        expect(canonicalNumber(shifted)).toBe(canonicalNumber(`${value}e${power}`));
      }),
    );
  });

  test('has another text than any other number', () => {
    const small = fc.bigInt({ min: -1100n, max: 1100n });
    const power = fc.integer({ min: 0, max: 3 });
    fc.assert(
      fc.property(small, power, small, power, (one, onePower, other, otherPower) => {
        const equal = one * 10n ** BigInt(onePower) === other * 10n ** BigInt(otherPower);
        const same = canonicalNumber(`${one}e${onePower}`) === canonicalNumber(`${other}e${otherPower}`);
        expect(same).toBe(equal);
      }),
      { numRuns: 2000 },
    );
  });
});

test('JSON has one text, in whatever order its members stand', () => {
  expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: undefined })).toBe('{"b":[1,{"c":"x","d":null}]}');
});

test('JSON of another meaning has another text', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 2 }), fc.json({ maxDepth: 2 }), (one, other) => {
      const [left, right]: unknown[] = [JSON.parse(one), JSON.parse(other)];
      expect(canonicalJson(left) === canonicalJson(right)).toBe(isDeepStrictEqual(left, right));
    }),
  );
});
