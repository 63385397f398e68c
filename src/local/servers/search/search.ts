import { type Marks, numberOf } from './clause.ts';
import { illegal, notSearchable } from './error.ts';
import { highlightOf, readHighlight, readSourceFilter } from './hits.ts';
import type { Index, Stored } from './indices.ts';
import { type JsonObject, onlyKnown } from './json.ts';
import { compileQuery } from './query.ts';
import { checkSort, compareKeys, type Key, keysOf, type Order, readAfter, readSort } from './sort.ts';

type Found = { index: Index; document: Stored; score: number; keys: Key[]; marks: Marks };

const KNOWN = [
  'query',
  'from',
  'size',
  'sort',
  'search_after',
  'track_total_hits',
  '_source',
  'highlight',
  'version',
];
const BY_SCORE: Order[] = [{ field: '_score', descending: true }];
const WINDOW = 10_000; // index.max_result_window, and what track_total_hits counts to, by default

/** `_search`, as far as it goes here: what it does not know it refuses by name, and never leaves out. */
export function search(indices: Index[], body: JsonObject) {
  onlyKnown(body, KNOWN, '');
  const sorted = body.sort !== undefined;
  const order = sorted ? readSort(body.sort) : BY_SCORE;
  const { from, size } = readPage(body);
  const found = indices
    .flatMap((index) => find(index, body.query, order))
    .sort((one, other) => compareKeys(order, one.keys, other.keys));
  const after =
    sorted && body.search_after !== undefined ? readAfter(body.search_after, order, indices[0]) : undefined;
  const following =
    after === undefined ? found : found.filter(({ keys }) => compareKeys(order, keys, after) > 0);

  const scored = order.some(({ field }) => field === '_score');
  const best = found.reduce((most, { score }) => Math.max(most, score), 0);
  const max_score = scored && found.length > 0 ? best : null;
  const hits = following.slice(from, from + size).map(hitOf(body, { sorted, scored }));
  return {
    took: 1,
    timed_out: false,
    _shards: shardsOf(indices),
    hits: { total: totalOf(found, body), max_score, hits },
  };
}

export const shardsOf = (indices: Index[]) => ({
  total: indices.length,
  successful: indices.length,
  skipped: 0,
  failed: 0,
});

export function find(index: Index, query: unknown = { match_all: {} }, order: Order[] = []): Found[] {
  checkSort(order, index);
  const { matches, marks } = compileQuery(query, index);
  return [...index.documents.values()].flatMap((document) => {
    const score = matches(document);
    return score === undefined
      ? []
      : [{ index, document, score, keys: keysOf(order, document, score), marks }];
  });
}

function hitOf(body: JsonObject, { sorted, scored }: { sorted: boolean; scored: boolean }) {
  const filterSource = readSourceFilter(body._source);
  const highlighted = readHighlight(body.highlight);
  return ({ index, document, score, keys, marks }: Found) => ({
    _index: index.name,
    _id: document.id,
    _version: body.version === true ? document.version : undefined,
    _score: scored ? score : null,
    _source: filterSource(document.source),
    highlight: highlightOf(index, document, highlighted, marks),
    sort: sorted ? keys : undefined,
  });
}

function readPage(body: JsonObject): { from: number; size: number } {
  const from = numberOf(body.from ?? 0, 'from');
  const size = numberOf(body.size ?? 10, 'size');
  if (from < 0 || size < 0)
    throw illegal(`[from] and [size] must not be negative, but are [${from}] and [${size}]`);
  if (from + size > WINDOW) {
    const reason = `Result window is too large, from + size must be less than or equal to: [${WINDOW}] but was [${from + size}].`;
    throw notSearchable('illegal_argument_exception', reason);
  }
  if (body.search_after !== undefined && body.sort === undefined) {
    throw notSearchable('illegal_argument_exception', 'Sort must contain at least one field.');
  }
  if (body.search_after !== undefined && from > 0) {
    throw notSearchable('search_exception', '`from` parameter must be set to 0 when `search_after` is used.');
  }
  return { from, size };
}

/** Counted in full, up to a bound, or not at all. */
function totalOf(found: Found[], body: JsonObject) {
  const given = body.track_total_hits ?? WINDOW;
  if (given === false) return undefined;
  const bound = given === true ? Number.POSITIVE_INFINITY : numberOf(given, 'track_total_hits');
  return { value: Math.min(found.length, bound), relation: found.length > bound ? 'gte' : 'eq' };
}
