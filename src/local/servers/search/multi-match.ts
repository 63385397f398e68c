import { type Compiled, fieldNamed, type Matches } from './clause.ts';
import { illegal, notSupported } from './error.ts';
import type { Index } from './indices.ts';
import { listOf, objectOf, onlyKnown } from './json.ts';
import type { Field } from './mapping.ts';
import { wordsOf } from './text.ts';

type Searched = { field: Field; boost: number };

/** The words of a query in several fields: all in one of them, or spread over them (`cross_fields`). */
export function multiMatchQuery(body: unknown, index: Index): Compiled {
  const query = objectOf(body, 'multi_match');
  onlyKnown(query, ['query', 'fields', 'operator', 'type'], 'multi_match');
  const text = String(query.query ?? '');
  const every = readOneOf(query.operator ?? 'or', ['and', 'or'], 'operator') === 'and';
  const type = readOneOf(query.type ?? 'best_fields', ['best_fields', 'cross_fields'], 'type');
  const searched = listOf(query.fields).flatMap((name) => readField(index, String(name)));
  if (query.fields === undefined) throw illegal('[multi_match] requires [fields]');

  const texts = searched.filter(({ field }) => field.type === 'text');
  const groups = type === 'cross_fields' ? [texts] : texts.map((one) => [one]);
  const scores = groups
    .filter((group) => group.length > 0)
    .map((group) =>
      index.text.search({
        text,
        every,
        fields: new Map(group.map(({ field, boost }) => [field.name, boost])),
      }),
    );
  const keywords = searched.filter(({ field }) => field.type === 'keyword').map((one) => exactly(one, text));
  const alternatives: Matches[] = [
    ...scores.map(
      (score): Matches =>
        ({ id }) =>
          score.get(id),
    ),
    ...keywords,
  ];
  const words = new Set(wordsOf(text).map(({ word }) => word));
  return {
    matches: (document) => best(alternatives.map((alternative) => alternative(document))),
    marks: new Map(texts.map(({ field }) => [field.name, words])),
  };
}

function readField(index: Index, named: string): Searched[] {
  const [name = '', boost = '1'] = named.split('^');
  if (name.includes('*')) throw notSupported(`[multi_match] on [${name}]`);
  const field = fieldNamed(index, name);
  if (field === undefined) return [];
  if (field.type !== 'text' && field.type !== 'keyword')
    throw notSupported(`[multi_match] on [${name}] of type [${field.type}]`);
  return [{ field, boost: Number(boost) }];
}

const exactly =
  ({ field, boost }: Searched, text: string): Matches =>
  ({ values }) =>
    values.get(field.name)?.includes(text) ? boost : undefined;

function best(scores: (number | undefined)[]): number | undefined {
  const found = scores.filter((score) => score !== undefined);
  return found.length === 0 ? undefined : Math.max(...found);
}

function readOneOf(value: unknown, known: string[], name: string): string {
  const read = String(value).toLowerCase();
  if (!known.includes(read)) throw notSupported(`[${name}: ${value}] in [multi_match]`);
  return read;
}
