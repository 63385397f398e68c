import { type Compile, type Compiled, fieldNamed } from './clause.ts';
import { readDate } from './dates.ts';
import { illegal, notSupported, SearchError } from './error.ts';
import type { Index } from './indices.ts';
import { isObject, objectOf, onlyKnown, onlyMember } from './json.ts';
import type { Field } from './mapping.ts';
import { wordsOf } from './text.ts';
import { isCause, types, type Value } from './types.ts';

type Holds = (value: Value) => boolean;

export const termQuery: Compile = (body, index) => {
  const [name, given] = onlyMember(body, 'term');
  if (!isObject(given)) return anyOf(index, name, [given]);
  onlyKnown(given, ['value'], 'term');
  return anyOf(index, name, [given.value]);
};

export const termsQuery: Compile = (body, index) => {
  const [name, given] = onlyMember(body, 'terms');
  if (!Array.isArray(given)) throw illegal(`[terms] query requires a list of values for [${name}]`);
  return anyOf(index, name, given);
};

export const existsQuery: Compile = (body, index) => {
  const exists = objectOf(body, 'exists');
  onlyKnown(exists, ['field'], 'exists');
  const name = String(exists.field);
  const inside = [...index.mapping.fields.keys()].filter(
    (field) => field === name || field.startsWith(`${name}.`),
  );
  fieldNamed(index, name);
  return constant(({ values }) => inside.some((field) => (values.get(field) ?? []).length > 0));
};

export const rangeQuery: Compile = (body, index) => {
  const [name, given] = onlyMember(body, 'range');
  const bounds = objectOf(given, 'range');
  onlyKnown(bounds, Object.keys(comparisons), 'range');
  const field = fieldNamed(index, name);
  if (field === undefined) return constant(() => false);
  if (field.type === 'text' || field.type === 'boolean')
    throw notSupported(`[range] on [${name}] of type [${field.type}]`);
  const holds = Object.entries(bounds).flatMap(([comparison, bound]) => {
    const compare = comparisons[comparison];
    if (compare === undefined || bound === null) return [];
    const read = readTerm(field, bound, comparison === 'lte' || comparison === 'gt' ? 'last' : 'first');
    return [(value: Value) => compare(value, read)];
  });
  return constant(({ values }) => (values.get(name) ?? []).some((value) => holds.every((one) => one(value))));
};

const comparisons: Record<string, (value: Value, bound: Value) => boolean> = {
  gt: (value, bound) => value > bound,
  gte: (value, bound) => value >= bound,
  lt: (value, bound) => value < bound,
  lte: (value, bound) => value <= bound,
};

function anyOf(index: Index, name: string, given: unknown[]): Compiled {
  const field = fieldNamed(index, name);
  if (field === undefined) return constant(() => false);
  const wanted = given.map((value) => equals(field, value));
  const { matches } = constant(({ values }) =>
    (values.get(name) ?? []).some((value) => wanted.some((one) => one(value))),
  );
  return { matches, marks: new Map(field.type === 'text' ? [[name, new Set(given.map(String))]] : []) };
}

/** A term is not cut into words: on text it has to be one of them. A date stands for all that it leaves open. */
function equals(field: Field, given: unknown): Holds {
  const term = readTerm(field, given, 'first');
  if (field.type === 'text') return (value) => wordsOf(String(value)).some(({ word }) => word === term);
  if (field.type !== 'date') return (value) => value === term;
  const last = readTerm(field, given, 'last');
  return (value) => value >= term && value <= last;
}

function readTerm(field: Field, given: unknown, edge: 'first' | 'last'): Value {
  if (isObject(given) || Array.isArray(given) || given === null || given === undefined) {
    throw illegal(`a value is required for [${field.name}], but found [${JSON.stringify(given)}]`);
  }
  const value = given as Value;
  // A fraction must not become a whole number here: no integer equals 1.5, and some are below it.
  if (typeof value === 'number' && field.type !== 'date' && field.type !== 'text' && field.type !== 'keyword')
    return value;
  const read =
    field.type === 'date' ? (readDate(value, edge) ?? types.date(value)) : types[field.type](value);
  if (!isCause(read)) return read;
  throw new SearchError(400, 'query_shard_exception', `failed to create query: ${read.reason}`, {
    causedBy: read,
  });
}

const constant = (holds: (document: Parameters<Compiled['matches']>[0]) => boolean): Compiled => ({
  matches: (document) => (holds(document) ? 1 : undefined),
  marks: new Map(),
});
