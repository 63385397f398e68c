import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTemplate } from '../../src/table/template.ts';
import './entity.types.ts';

test('a key is its literals and the fields between them', () => {
  const { fields, prefix, render } = parseTemplate('USER#{userId}#ORDER#{orderId}');
  expect(render({ userId: 'ada', orderId: 7, more: 'ignored' })).toBe('USER#ada#ORDER#7');
  expect(fields).toEqual(['userId', 'orderId']);
  expect(prefix).toBe('USER#');
  expect(parseTemplate('{createdAt}').prefix).toBe('');
  expect(parseTemplate('PROFILE').render({})).toBe('PROFILE');
});

/** All texts of "#" and "a" up to this length: as easy to mistake for one another as can be. */
function texts(length: number): string[] {
  return length === 0 ? [''] : ['', ...texts(length - 1).flatMap((text) => [`#${text}`, `a${text}`])];
}

function keyOrRefusal(template: ReturnType<typeof parseTemplate>, fields: readonly string[]) {
  try {
    return template.render(Object.fromEntries(fields.map((value, index) => [`field${index}`, value])));
  } catch {
    return undefined;
  }
}

test('two items never have one key', () => {
  const items = texts(3).flatMap((a) => texts(3).flatMap((b) => texts(2).map((c) => [a, b, c])));
  const literal = fc.stringMatching(/^[#a]{1,3}$/);
  fc.assert(
    fc.property(literal, literal, fc.constantFrom('', '#', 'a#'), (one, two, end) => {
      const template = parseTemplate(`{field0}${one}{field1}${two}{field2}${end}`);
      const rendered = items.flatMap((fields) => keyOrRefusal(template, fields) ?? []);
      expect(rendered.length).toBeGreaterThan(0);
      expect(new Set(rendered).size).toBe(rendered.length);
    }),
  );
});

test.each([
  ['{a}#{b}', { a: 'x#', b: 'y' }],
  ['{a}#{b}', { a: 'x#y', b: 'z' }],
  ['{a}##{b}', { a: 'x#', b: 'y' }],
  ['{a}#ORDER#{b}', { a: 'x#ORDER', b: 'y' }],
])('%s refuses %j: another item could have that key', (text, item) => {
  expect(() => parseTemplate(text).render(item)).toThrow(
    'a must be non-empty, well-formed text and must not run into',
  );
});

test('what follows a field only bars what could be mistaken for it', () => {
  expect(parseTemplate('{a}#ORDER#{b}').render({ a: 'x#y', b: 'ORDER#z' })).toBe('x#y#ORDER#ORDER#z');
});

test('an empty field is refused, an absent one gives no key', () => {
  const { render } = parseTemplate('TAG#{tag}');
  expect(() => render({ tag: '' })).toThrow('tag must be non-empty');
  expect(render({})).toBeUndefined();
  expect(render({ tag: null })).toBeUndefined();
  expect(parseTemplate('{constructor}').render({})).toBeUndefined();
});

test.each(['{a}{b}', 'X#{a}{b}', '', '{', '}', 'X#{a', '{}', '{a b}', '{a}}', '{{a}'])(
  '"%s" is no template',
  (text) => {
    expect(() => parseTemplate(text)).toThrow(`Key template "${text}"`);
  },
);

test('an item matches the template of its key, whatever stands in it', () => {
  const part = fc.string({ minLength: 1 }).filter((value) => !value.includes('#'));
  const { render, matches } = parseTemplate('A.{a}#B{b}');
  fc.assert(
    fc.property(part, fc.string({ minLength: 1 }), (a, b) => {
      expect(matches(`${render({ a, b })}`)).toBe(true);
    }),
  );
});

test.each(['PROFILE', 'ORDER#', 'xORDER#1', 'order#1', '', 'ORDER'])('"%s" is no key of an order', (key) => {
  expect(parseTemplate('ORDER#{orderId}').matches(key)).toBe(false);
});

test('literals stand for themselves, and a key may hold line breaks', () => {
  expect(parseTemplate('A.*{a}').matches('Abc1')).toBe(false);
  expect(parseTemplate('A.*{a}').matches('A.*1')).toBe(true);
  expect(parseTemplate('A#{a}').matches('A#x\ny')).toBe(true);
  expect(parseTemplate('A#{a}').matches('y\nA#x')).toBe(false);
});
