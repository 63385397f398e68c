import { illegal, notSupported, SearchError } from './error.ts';
import type { Index, Stored } from './indices.ts';
import { isObject, listOf, onlyKnown, onlyMember } from './json.ts';
import type { Value } from './types.ts';

export type Key = Value | null;
export type Order = { field: string; descending: boolean };

export function readSort(sort: unknown): Order[] {
  return listOf(sort).map((one) => {
    if (typeof one === 'string') return { field: one, descending: one === '_score' };
    const [field, given] = onlyMember(one, 'sort');
    if (isObject(given)) onlyKnown(given, ['order'], `sort.${field}`);
    const order = isObject(given) ? (given.order ?? defaultOrder(field)) : given;
    if (order !== 'asc' && order !== 'desc')
      throw illegal(`[sort] order of [${field}] must be asc or desc, but is [${order}]`);
    return { field, descending: order === 'desc' };
  });
}

const defaultOrder = (field: string) => (field === '_score' ? 'desc' : 'asc');

/** Refuses what the real server cannot sort on either. */
export function checkSort(order: Order[], index: Index): void {
  for (const { field } of order) {
    if (field === '_score') continue;
    if (field.startsWith('_')) throw notSupported(`[sort] on [${field}]`);
    const type = index.mapping.fields.get(field)?.type;
    if (type === undefined) {
      throw new SearchError(
        400,
        'query_shard_exception',
        `No mapping found for [${field}] in order to sort on`,
      );
    }
    if (type === 'text') {
      throw illegal(
        `Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. [${field}]`,
      );
    }
  }
}

/** A hit's sort values; of several values the smallest counts, descending the largest. */
export function keysOf(order: Order[], { values }: Stored, score: number): Key[] {
  return order.map(({ field, descending }) => {
    if (field === '_score') return score;
    const sorted = (values.get(field) ?? []).toSorted(compareValues);
    return (descending ? sorted.at(-1) : sorted[0]) ?? null;
  });
}

/** Hits without a value come last, whichever the order. */
export function compareKeys(order: Order[], one: Key[], other: Key[]): number {
  for (const [at, { descending }] of order.entries()) {
    const [left = null, right = null] = [one[at], other[at]];
    const compared =
      left === null || right === null
        ? Number(left === null) - Number(right === null)
        : compareValues(left, right) * (descending ? -1 : 1);
    if (compared !== 0) return compared;
  }
  return 0;
}

const compareValues = (one: Value, other: Value): number => (one < other ? -1 : one > other ? 1 : 0);
