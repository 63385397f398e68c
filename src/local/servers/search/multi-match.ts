import { type Compiled, fieldNamed, type Matches, numberOf } from './clause.ts';
import { malformed, notSupported } from './error.ts';
import type { Index } from './indices.ts';
import { listOf, objectOf, onlyKnown } from './json.ts';
import type { Field } from './mapping.ts';
import { wordsOf } from './text.ts';

type Searched = { field: Field; boost: number };

/** The words of a query in several fields: all in one of them, or spread over them (`cross_fields`). */
export function multiMatchQuery(body: unknown, index: Index): Compiled {
  const query = objectOf(body, 'multi_match');
  onlyKnown(query, ['query', 'fields', 'operator', 'type'], 'multi_match');
  if (query.query === undefined) throw malformed('No text specified for multi_match query');
  if (query.fields === undefined) throw notSupported('[multi_match] without [fields]');
  const text = String(query.query);
  const every = readOneOf(query.operator ?? 'or', ['and', 'or'], 'operator') === 'and';
  const type = readOneOf(query.type ?? 'best_fields', ['best_fields', 'cross_fields'], 'type');
  const searched = listOf(query.fields).flatMap((name) => readField(index, String(name)));

  const texts = searched.filter(({ field }) => field.type === 'text');
  const groups = type === 'best_fields' ? texts.map((one) => [one]) : texts.length > 0 ? [texts] : [];
  const words = groups.map((group) => inWords(index, group, text, every));
  const whole = searched.filter(({ field }) => field.type === 'keyword').map((one) => asWhole(one, text));
  return {
    matches: (document) => best([...words, ...whole].map((one) => one(document))),
    marks: new Map(searched.map(({ field }) => [field.name, marksOf(field, text)])),
  };
}

function inWords(index: Index, group: Searched[], text: string, every: boolean): Matches {
  const fields = new Map(group.map(({ field, boost }) => [field.name, boost]));
  const scores = index.text.search({ text, every, fields });
  return ({ id }) => scores.get(id);
}

const asWhole =
  ({ field, boost }: Searched, text: string): Matches =>
  ({ values }) =>
    values.get(field.name)?.includes(text) ? boost : undefined;

const marksOf = (field: Field, text: string): Set<string> =>
  new Set(field.type === 'text' ? wordsOf(text).map(({ word }) => word) : [text]);

function readField(index: Index, named: string): Searched[] {
  const [name = '', boost = '1'] = named.split('^');
  if (name.includes('*')) throw notSupported(`[multi_match] on [${name}]`);
  const field = fieldNamed(index, name);
  if (field === undefined) return [];
  if (field.type !== 'text' && field.type !== 'keyword') {
    throw notSupported(`[multi_match] on [${name}] of type [${field.type}]`);
  }
  return [{ field, boost: numberOf(boost, `boost of ${name}`) }];
}

function best(scores: (number | undefined)[]): number | undefined {
  const found = scores.filter((score) => score !== undefined);
  return found.length === 0 ? undefined : Math.max(...found);
}

function readOneOf(value: unknown, known: string[], name: string): string {
  const read = String(value).toLowerCase();
  if (!known.includes(read)) throw notSupported(`[${name}: ${value}] in [multi_match]`);
  return read;
}
