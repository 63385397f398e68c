/** Search queries: the user's text is only ever matched, never parsed, so it cannot become query syntax. */
import type { Client } from '@opensearch-project/opensearch';
import type { Entity, Fields } from '../../table/entity.ts';
import { marks } from './plan.ts';

export type SearchPage = {
  total: number;
  hits: { id: string; score: number | undefined; document: Fields }[];
};

export type SearchOptions = {
  /** What stands before the name of every index. */
  prefix: string;
  /** Exact values of keyword, number or boolean fields; several mean any of them. */
  filters?: Readonly<Record<string, string | number | boolean | readonly (string | number)[]>>;
  from?: number;
  size?: number;
  now: number; // epoch milliseconds
};

/** Finds documents of an entity by words in its text fields; an empty text finds all that pass the filters. */
export async function searchFor(
  client: Client,
  entity: Entity,
  text: string,
  options: SearchOptions,
): Promise<SearchPage> {
  if (entity.search === undefined)
    throw new Error(`${entity.name} is not searched: its declaration has no "search".`);
  const { index, fields } = entity.search;
  const unknown = Object.keys(options.filters ?? {}).find((field) => !Object.hasOwn(fields, field));
  if (unknown !== undefined) throw new Error(`${entity.name} has no search field "${unknown}".`);
  const { body } = await client.search({
    index: `${options.prefix}${index}`,
    body: {
      query: queryOf(fields, text, options),
      from: options.from ?? 0,
      size: options.size ?? 20,
      track_total_hits: true,
    },
  });
  const total = body.hits.total;
  return {
    total: typeof total === 'number' ? total : (total?.value ?? 0),
    hits: body.hits.hits.map(({ _id = '', _score, _source }) => ({
      id: _id,
      score: typeof _score === 'number' ? _score : undefined,
      document: (_source ?? {}) as Fields,
    })),
  };
}

function queryOf(
  fields: Readonly<Record<string, string>>,
  text: string,
  { filters = {}, now }: SearchOptions,
) {
  const texts = Object.keys(fields).filter((field) => fields[field] === 'text');
  const words = text.trim();
  const match = {
    multi_match: { query: words, fields: texts, operator: 'and' as const, type: 'cross_fields' as const },
  };
  const exact = Object.entries(filters).map(([field, value]) => {
    return Array.isArray(value) ? { terms: { [field]: [...value] } } : { term: { [field]: value } };
  });
  const gone = [
    { exists: { field: marks.removedAt } },
    { range: { [marks.expiresAt]: { lte: new Date(now).toISOString() } } },
  ];
  return {
    bool: { must: [words === '' ? { match_all: {} } : match], filter: exact as never[], must_not: gone },
  };
}
