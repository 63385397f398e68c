import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compilePattern, InvalidEventPatternException } from '../../src/local/servers/pattern.ts';

type Vector = {
  id: string;
  patternText: string;
  eventText: string;
  expected: boolean | 'invalid';
  awsError?: string;
};

const matches = (pattern: string | object, event: unknown): boolean => compilePattern(pattern)(event);

function outcomeOf({ patternText, eventText }: Vector): { result: boolean | 'invalid'; message?: string } {
  try {
    return { result: matches(patternText, JSON.parse(eventText)) };
  } catch (error) {
    if (error instanceof InvalidEventPatternException) return { result: 'invalid', message: error.message };
    throw error;
  }
}

const streams = process.env.SLUICE_CORPUS;
const readVectors = (file: string): Vector[] =>
  JSON.parse(readFileSync(join(streams ?? '', '..', 'patterns', file), 'utf8'));

describe.skipIf(streams === undefined)('patterns of the field (needs SLUICE_CORPUS)', () => {
  it.each([
    ['01-localstack-aws-recorded.json', 161],
    ['02-event-ruler-suite.json', 646],
  ])('are matched as in %s', (file, count) => {
    const vectors = readVectors(file);
    const wrong = vectors.filter((vector) => outcomeOf(vector).result !== vector.expected);
    expect(wrong.map(({ id }) => id)).toEqual([]);
    expect(vectors).toHaveLength(count);
  });

  it('are refused in the words of AWS, but for the wording of broken JSON', () => {
    const refused = readVectors('01-localstack-aws-recorded.json').filter(({ awsError }) => awsError);
    const other = refused.filter((vector) => !outcomeOf(vector).message?.startsWith(vector.awsError ?? ''));
    expect(other.map(({ id }) => id)).toEqual([
      'localstack/invalid_json_pattern[this is valid json but not a dict]',
      "localstack/invalid_json_pattern[{'bad': 'quotation'}]",
      'localstack/invalid_json_pattern[{"not": closed mark"]',
    ]);
    expect(refused).toHaveLength(42);
  });
});

describe('a pattern', () => {
  it('asks for every field it names, and for one of the values of each', () => {
    const pattern = { source: ['shop', 'store'], detail: { status: ['paid'] } };
    expect(matches(pattern, { source: 'store', detail: { status: 'paid' } })).toBe(true);
    expect(matches(pattern, { source: 'store', detail: { status: 'open' } })).toBe(false);
    expect(matches(pattern, { source: 'other', detail: { status: 'paid' } })).toBe(false);
  });

  it('never combines fields of different elements of one list', () => {
    const pattern = { lines: { sku: ['hat'], amount: [2] } };
    expect(matches(pattern, { lines: [{ sku: 'hat', amount: 2 }] })).toBe(true);
    expect(
      matches(pattern, {
        lines: [
          { sku: 'hat', amount: 1 },
          { sku: 'cap', amount: 2 },
        ],
      }),
    ).toBe(false);
  });

  it('finds an absence inside the element that the other fields chose', () => {
    const pattern = { lines: { a: ['hat'], b: [{ exists: false }] } };
    expect(matches(pattern, { lines: [{ a: 'cap', b: 1 }, { a: 'hat' }] })).toBe(true);
    expect(matches(pattern, { lines: [{ a: 'cap' }, { a: 'hat', b: 1 }] })).toBe(false);
  });

  it('sees a dotted name and a nested one as the same', () => {
    expect(matches({ 'detail.status': ['paid'] }, { detail: { status: 'paid' } })).toBe(true);
    expect(matches({ detail: { status: ['paid'] } }, { 'detail.status': 'paid' })).toBe(true);
  });

  it('compares numbers as numbers, and never text with a number', () => {
    expect(matches({ n: [300] }, JSON.parse('{"n": 3.0e2}'))).toBe(true);
    expect(matches({ n: [300] }, { n: '300' })).toBe(false);
    expect(matches({ n: [{ numeric: ['>', 0, '<=', 5] }] }, { n: 5 })).toBe(true);
    expect(matches({ n: [{ numeric: ['>', 0, '<=', 5] }] }, { n: 0 })).toBe(false);
    expect(matches({ n: [{ numeric: ['>', 0] }] }, { n: '5' })).toBe(false);
  });

  it('escapes a star and a backslash in a wildcard', () => {
    expect(matches({ s: [{ wildcard: String.raw`a\*b\\*` }] }, { s: String.raw`a*b\anything` })).toBe(true);
    expect(matches({ s: [{ wildcard: String.raw`a\*b` }] }, { s: 'axb' })).toBe(false);
    expect(() => compilePattern({ s: [{ wildcard: String.raw`a\b` }] })).toThrow(
      'Invalid escape character at pos 2',
    );
  });

  it('does not let the two ends of a wildcard share characters', () => {
    expect(matches({ s: [{ wildcard: 'aba*ba' }] }, { s: 'aba' })).toBe(false);
    expect(matches({ s: [{ wildcard: 'aba*ba' }] }, { s: 'ababa' })).toBe(true);
    expect(matches({ s: [{ wildcard: '*a*a' }] }, { s: 'a' })).toBe(false);
  });

  it('knows addresses of both kinds, and keeps them apart', () => {
    const mapped = { ip: [{ cidr: '2001:db8::/32' }] };
    expect(matches(mapped, { ip: '2001:0db8:0:0:1::5' })).toBe(true);
    expect(matches(mapped, { ip: '2001:db9::1' })).toBe(false);
    expect(matches({ ip: [{ cidr: '::/0' }] }, { ip: '10.0.0.1' })).toBe(false);
    expect(matches({ ip: [{ cidr: '::ffff:10.0.0.0/104' }] }, { ip: '::ffff:10.1.2.3' })).toBe(true);
    expect(matches({ ip: [{ cidr: '10.0.0.1/32' }] }, { ip: '10.0.0.1' })).toBe(true);
  });

  it('multiplies $or out, also next to others of its kind', () => {
    const pattern = { $or: [{ a: [1] }, { b: [1] }], detail: { $or: [{ c: [1] }, { d: [1] }] } };
    expect(matches(pattern, { b: 1, detail: { c: 1 } })).toBe(true);
    expect(matches(pattern, { b: 1 })).toBe(false);
    expect(matches(pattern, { detail: { c: 1, d: 1 } })).toBe(false);
  });

  it('takes $or for an ordinary field where it cannot be an operator', () => {
    expect(matches({ $or: { a: [1] } }, { $or: { a: 1 } })).toBe(true);
    expect(matches({ $or: [{ prefix: 'a' }, { suffix: 'z' }] }, { $or: 'abc' })).toBe(true);
  });

  it('reads both of two members of one name, as AWS does', () => {
    const pattern = '{"detail": {"a": [1]}, "detail": {"b": [2]}}';
    expect(matches(pattern, { detail: { a: 1, b: 2 } })).toBe(true);
    expect(matches(pattern, { detail: { b: 2 } })).toBe(false);
  });

  it('that is not valid says where', () => {
    expect(() => compilePattern({ detail: { status: [{ prefx: 'a' }] } })).toThrow(
      'Event pattern is not valid. Reason: Unrecognized match type prefx (at detail.status)',
    );
    expect(() => compilePattern({ detail: {} })).toThrow('Empty objects are not allowed (at detail)');
    expect(() => compilePattern({ n: [{ numeric: ['>', 5, '<', 1] }] })).toThrow(
      'Bottom must be less than top',
    );
  });

  it('answers soon even for long lists', () => {
    const lines = Array.from({ length: 2_000 }, (_, at) => ({ a: at }));
    const pattern = { x: { a: [{ exists: true }] }, y: { a: [{ exists: true }] }, z: ['no'] };
    const started = performance.now();
    expect(matches(pattern, { x: lines, y: lines })).toBe(false);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
