/** Search queries: the user's text is only ever matched, never parsed, so it cannot become query syntax. */
import type { Client } from '@opensearch-project/opensearch';
import type { Entity, Fields } from '../../table/entity.ts';
import { WriteError } from '../../table/errors.ts';
import { cursorOf, pageAfter } from './cursor.ts';
import { type Filters, filterClauses } from './filters.ts';
import { namesOf } from './names.ts';
import { marks } from './plan.ts';

type SearchHit = {
  id: string;
  /** How well it fits the text; without a text there is none. */
  score: number | undefined;
  document: Fields;
  /** The text fields in which words were found, these in `<em>`; the rest is escaped, so that it can be shown as HTML. */
  highlights: Readonly<Record<string, readonly string[]>>;
};

export type SearchPage = {
  /** How many there are in all. */
  total: number;
  hits: SearchHit[];
  /** The cursor of the next page, if there may be one. */
  next?: string;
};

type Place = { client: Client; prefix: string; now(): number };

/** Words of one query and text fields, multiplied: OpenSearch takes no more (indices.query.bool.max_clause_count). */
const mostClauses = 1_024;

/** `search(entity, text, filters, page)` on the indices of this prefix. */
export function searching({ client, prefix, now }: Place) {
  /**
   * Finds documents of an entity by words in its text fields, those that fit best first; an empty text finds all that
   * pass the filters, in the order of their items' names.
   */
  return async function search<One extends Entity>(
    entity: One,
    text: string,
    filters: Filters<One> = {},
    { size = 20, cursor }: { size?: number; cursor?: string | undefined } = {},
  ): Promise<SearchPage> {
    if (entity.search === undefined)
      throw new Error(`${entity.name} is not searched: its declaration has no "search".`);
    const { index, fields } = entity.search;
    const words = text.trim();
    const texts = Object.keys(fields).filter((field) => fields[field] === 'text');
    checkWords(entity, words, texts);
    const asked = [entity.name, words, filters];
    const { body } = await client.search({
      index: namesOf(prefix, index).read,
      body: {
        query: {
          bool: {
            must: [words === '' ? { match_all: {} } : matching(words, texts)],
            filter: filterClauses(entity, filters) as never[],
            must_not: gone(now()),
          },
        },
        // What is alike in all else still has an order, or a page could leave some of it out.
        sort: [...(words === '' ? [] : [{ _score: 'desc' as const }]), { [marks.item]: 'asc' as const }],
        ...(cursor !== undefined && { search_after: pageAfter(cursor, asked, words === '' ? 1 : 2) }),
        size,
        // Without it a sort of everything leaves out documents that lack the field.
        track_total_hits: true,
        ...(words !== '' && { highlight: highlighting(texts) }),
      },
    });
    const { total, hits } = body.hits;
    const last = hits.length === size ? hits.at(-1)?.sort : undefined;
    return {
      total: typeof total === 'number' ? total : (total?.value ?? 0),
      hits: hits.map(({ _id = '', _score, _source, highlight = {} }) => ({
        id: _id,
        score: typeof _score === 'number' ? _score : undefined,
        document: withoutMarks(_source as Fields | undefined),
        highlights: highlight,
      })),
      ...(last && { next: cursorOf(asked, last) }),
    };
  };
}

function checkWords({ name }: Entity, words: string, texts: readonly string[]): void {
  if (words === '') return;
  if (texts.length === 0) throw new WriteError('Invalid', `${name} has no text field to find words in.`);
  const longest = Math.floor(mostClauses / texts.length);
  if (words.length > longest)
    throw new WriteError('Invalid', `The text to search for may have ${longest} characters.`);
}

function matching(words: string, fields: string[]) {
  return { multi_match: { query: words, fields, operator: 'and' as const, type: 'cross_fields' as const } };
}

function gone(now: number) {
  return [
    { exists: { field: marks.removedAt } },
    { range: { [marks.expiresAt]: { lte: new Date(now).toISOString() } } },
  ];
}

function highlighting(texts: readonly string[]) {
  const whole = { number_of_fragments: 0 };
  return { encoder: 'html' as const, fields: Object.fromEntries(texts.map((field) => [field, whole])) };
}

function withoutMarks(source: Fields = {}): Fields {
  const ours = new Set<string>(Object.values(marks));
  return Object.fromEntries(Object.entries(source).filter(([name]) => !ours.has(name)));
}
