import { type Marks, numberOf } from './clause.ts';
import { illegal } from './error.ts';
import { highlightOf, readHighlight, readSourceFilter } from './hits.ts';
import type { Index, Stored } from './indices.ts';
import { type JsonObject, onlyKnown } from './json.ts';
import { compileQuery } from './query.ts';
import { checkSort, compareKeys, type Key, keysOf, type Order, readSort } from './sort.ts';

type Found = { index: Index; document: Stored; score: number; keys: Key[]; marks: Marks };

const KNOWN = ['query', 'from', 'size', 'sort', 'search_after', 'track_total_hits', '_source', 'highlight'];
const WINDOW = 10_000; // index.max_result_window, and what track_total_hits counts to, by default

/** `_search`, as far as it goes here: what it does not know it refuses by name, and never leaves out. */
export function search(indices: Index[], body: JsonObject) {
  onlyKnown(body, KNOWN, '');
  const order = readSort(body.sort);
  const { from, size } = readPage(body);
  const filterSource = readSourceFilter(body._source);
  const highlighted = readHighlight(body.highlight);
  const scored = order.length === 0 || order.some(({ field }) => field === '_score');

  const effective: Order[] = order.length === 0 ? [{ field: '_score', descending: true }] : order;
  const found = indices.flatMap((index) => find(index, body.query, effective));
  found.sort((one, other) => compareKeys(effective, one.keys, other.keys));
  const after = readAfter(body, order);
  const following =
    after === undefined ? found : found.filter(({ keys }) => compareKeys(order, keys, after) > 0);

  const hits = following.slice(from, from + size).map(({ index, document, score, keys, marks }) => ({
    _index: index.name,
    _id: document.id,
    _score: scored ? score : null,
    _source: filterSource(document.source),
    highlight: highlightOf(index, document, highlighted, marks),
    sort: order.length === 0 ? undefined : keys,
  }));
  const max_score = scored && found.length > 0 ? Math.max(...found.map(({ score }) => score)) : null;
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

function readPage(body: JsonObject): { from: number; size: number } {
  const from = numberOf(body.from ?? 0, 'from');
  const size = numberOf(body.size ?? 10, 'size');
  if (from < 0 || size < 0)
    throw illegal(`[from] and [size] must not be negative, but are [${from}] and [${size}]`);
  if (from + size > WINDOW) {
    throw illegal(
      `Result window is too large, from + size must be less than or equal to: [${WINDOW}] but was [${from + size}].`,
    );
  }
  return { from, size };
}

function readAfter(body: JsonObject, order: Order[]): Key[] | undefined {
  const after = body.search_after;
  if (after === undefined) return undefined;
  if (order.length === 0) throw illegal('Sort must contain at least one field.');
  if (Number(body.from ?? 0) > 0)
    throw illegal('`from` parameter must be set to 0 when `search_after` is used.');
  if (!Array.isArray(after) || after.length !== order.length) {
    throw illegal(
      `search_after has ${Array.isArray(after) ? after.length : 0} value(s) but sort has ${order.length}.`,
    );
  }
  return after;
}

/** Counted in full, up to a bound, or not at all. */
function totalOf(found: Found[], body: JsonObject) {
  const given = body.track_total_hits ?? WINDOW;
  if (given === false) return undefined;
  const bound = given === true ? Number.POSITIVE_INFINITY : numberOf(given, 'track_total_hits');
  return { value: Math.min(found.length, bound), relation: found.length > bound ? 'gte' : 'eq' };
}
