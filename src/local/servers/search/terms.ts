import { type Compile, type Compiled, fieldNamed } from './clause.ts';
import { readDate } from './dates.ts';
import { malformed, notSearchable, notSupported } from './error.ts';
import type { Index, Stored } from './indices.ts';
import { isObject, objectOf, onlyKnown, onlyMember } from './json.ts';
import type { Field } from './mapping.ts';
import { wordsOf } from './text.ts';
import { isCause, types, type Value } from './types.ts';

export const termQuery: Compile = (body, index) => {
  const [name, given] = onlyMember(body, 'term');
  if (!isObject(given)) return anyOf(index, name, [given]);
  onlyKnown(given, ['value'], 'term');
  return anyOf(index, name, [given.value]);
};

export const termsQuery: Compile = (body, index) => {
  const [name, given] = onlyMember(body, 'terms');
  if (!Array.isArray(given)) throw malformed(`[terms] query requires a list of values for [${name}]`);
  return anyOf(index, name, given);
};

export const existsQuery: Compile = (body, index) => {
  const exists = objectOf(body, 'exists');
  onlyKnown(exists, ['field'], 'exists');
  if (exists.field === undefined) throw malformed('[exists] must be provided with a [field]');
  const name = String(exists.field);
  fieldNamed(index, name);
  const fields = [...index.mapping.fields.keys()];
  const inside = fields.filter((field) => field === name || field.startsWith(`${name}.`));
  return constant(({ values }) => inside.some((field) => (values.get(field) ?? []).length > 0));
};

export const rangeQuery: Compile = (body, index) => {
  const [name, given] = onlyMember(body, 'range');
  const bounds = objectOf(given, 'range');
  onlyKnown(bounds, Object.keys(comparisons), 'range');
  const field = fieldNamed(index, name);
  if (field === undefined) return constant(() => false);
  if (field.type === 'text' || field.type === 'boolean') {
    throw notSupported(`[range] on [${name}] of type [${field.type}]`);
  }
  const holds = Object.entries(comparisons).flatMap(([comparison, { compare, edge }]) => {
    const bound = bounds[comparison];
    if (bound === undefined || bound === null) return [];
    const read = readTerm(field, bound, edge);
    return [(value: Value) => compare(value, read)];
  });
  return constant(({ values }) => (values.get(name) ?? []).some((value) => holds.every((one) => one(value))));
};

type Edge = 'first' | 'last';
type Comparison = { edge: Edge; compare: (value: Value, bound: Value) => boolean };

/** Each with the edge of a date that it is measured by. */
const comparisons: Record<string, Comparison> = {
  gt: { edge: 'last', compare: (value, bound) => value > bound },
  gte: { edge: 'first', compare: (value, bound) => value >= bound },
  lt: { edge: 'first', compare: (value, bound) => value < bound },
  lte: { edge: 'last', compare: (value, bound) => value <= bound },
};

function anyOf(index: Index, name: string, given: unknown[]): Compiled {
  const field = fieldNamed(index, name);
  if (field === undefined) return constant(() => false);
  const wanted = given.map((value) => equals(field, value));
  const { matches } = constant(({ values }) =>
    (values.get(name) ?? []).some((value) => wanted.some((one) => one(value))),
  );
  return { matches, marks: new Map([[name, new Set(given.map(String))]]) };
}

/** A term is not cut into words: on text it has to be one of them. A date stands for its whole day. */
function equals(field: Field, given: unknown): (value: Value) => boolean {
  const term = readTerm(field, given, 'first');
  if (field.type === 'text') return (value) => wordsOf(String(value)).some(({ word }) => word === term);
  if (field.type !== 'date') return (value) => value === term;
  const last = readTerm(field, given, 'last');
  return (value) => value >= term && value <= last;
}

const NUMERIC = new Set(['double', 'long', 'integer']);

function readTerm(field: Field, given: unknown, edge: Edge): Value {
  if (isObject(given) || Array.isArray(given) || given === null || given === undefined) {
    throw malformed(`[${field.name}] must be compared with one value, but found [${JSON.stringify(given)}]`);
  }
  const value = given as Value;
  // A fraction must stay one here: no integer equals 1.5, and some are below it.
  if (typeof value === 'number' && NUMERIC.has(field.type)) return value;
  const date = field.type === 'date' ? readDate(value, edge) : undefined;
  const read = date ?? types[field.type](value);
  if (!isCause(read)) return read;
  if (field.type === 'date') throw notSearchable('parse_exception', read.reason, read);
  throw notSearchable('query_shard_exception', `failed to create query: ${read.reason}`, read);
}

const constant = (holds: (document: Stored) => boolean): Compiled => ({
  matches: (document) => (holds(document) ? 1 : undefined),
  marks: new Map(),
});
