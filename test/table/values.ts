/** Values of every attribute type, for properties. */
import * as fc from 'fast-check';
import { ExactNumber } from '../../src/table/attributes.ts';

/** Names that would reach into Object's own members if a map were filled carelessly. */
const treacherous = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', ''];
const name = fc.oneof(fc.constantFrom(...treacherous), fc.string());

const number = fc
  .oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .filter((value) => !Object.is(value, -0));

/** 38 digits, the first and last of them not zero: no JavaScript number holds them. */
const exact = fc.stringMatching(/^-?[1-9][0-9]{36}[1-9]$/).map((digits) => new ExactNumber(digits));

const bytes = fc.uint8Array({ maxLength: 12 });

const set = fc.oneof(
  fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 4 }).map((members) => new Set<unknown>(members)),
  fc.uniqueArray(number, { minLength: 1, maxLength: 4 }).map((members) => new Set<unknown>(members)),
  fc.uniqueArray(exact, { minLength: 1, maxLength: 4, selector: String }).map((all) => new Set<unknown>(all)),
  fc
    .uniqueArray(bytes, { minLength: 1, maxLength: 4, selector: String })
    .map((members) => new Set<unknown>(members)),
);

/** Any value that has an attribute value. */
export const anyValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.string(),
    number,
    fc.boolean(),
    fc.constant(null),
    exact,
    bytes,
    set,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map((members) => Object.fromEntries(members)),
  ),
})).value;

/** Values from so small a world that two of them often are the same, and else differ by little. */
export const smallValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'xsmall' },
    fc.constantFrom<unknown>('', '1', 'a', 0, 1, 1.5, true, false, null),
    fc.constantFrom<unknown>(new Uint8Array([]), new Uint8Array([1]), new Set(['1']), new Set([1])),
    fc.constantFrom<unknown>(new Set(['a', '1']), new Set(['1', 'a']), new Set([1, 1.5]), new Set([1.5, 1])),
    fc.array(tie('value'), { maxLength: 2 }),
    fc
      .array(fc.tuple(fc.constantFrom('a', '1', '__proto__'), tie('value')), { maxLength: 2 })
      .map((members) => Object.fromEntries(members)),
  ),
})).value;
