import { illegal, notSearchable, notSupported } from './error.ts';
import type { Index, Stored } from './indices.ts';
import { isObject, listOf, onlyKnown, onlyMember } from './json.ts';
import { isCause, types, type Value } from './types.ts';

/** Null stands for no value; the real server names the outermost value of the type instead. */
export type Key = Value | null;
export type Order = { field: string; descending: boolean };

export function readSort(sort: unknown): Order[] {
  return listOf(sort).map((one) => {
    if (typeof one === 'string') return { field: one, descending: one === '_score' };
    const [field, given] = onlyMember(one, 'sort');
    if (isObject(given)) onlyKnown(given, ['order'], `sort.${field}`);
    const order = isObject(given) ? (given.order ?? (field === '_score' ? 'desc' : 'asc')) : given;
    if (order === 'asc' || order === 'desc') return { field, descending: order === 'desc' };
    throw illegal(`[sort] order of [${field}] must be asc or desc, but is [${order}]`);
  });
}

/** Refuses what the real server cannot sort on either. */
export function checkSort(order: Order[], index: Index): void {
  for (const { field } of order) {
    if (field === '_score') continue;
    if (field.startsWith('_')) throw notSupported(`[sort] on [${field}]`);
    const type = index.mapping.fields.get(field)?.type;
    if (type === undefined) {
      throw notSearchable('query_shard_exception', `No mapping found for [${field}] in order to sort on`);
    }
    if (type === 'text') {
      throw notSearchable(
        'illegal_argument_exception',
        `Text fields are not optimised for sorting, use a keyword field instead of [${field}]`,
      );
    }
  }
}

/** A hit's sort values; of several values the smallest counts, descending the largest. */
export function keysOf(order: Order[], { values }: Stored, score: number): Key[] {
  return order.map(({ field, descending }) => {
    if (field === '_score') return score;
    const sorted = (values.get(field) ?? []).toSorted(compareValues);
    const key = (descending ? sorted.at(-1) : sorted[0]) ?? null;
    return typeof key === 'boolean' ? Number(key) : key;
  });
}

/** The sort values after which a page begins: dates and numbers may come as text. */
export function readAfter(after: unknown, order: Order[], index: Index | undefined): Key[] {
  if (!Array.isArray(after) || after.length !== order.length) {
    const given = Array.isArray(after) ? after.length : 0;
    throw notSearchable(
      'illegal_argument_exception',
      `search_after has ${given} value(s) but sort has ${order.length}.`,
    );
  }
  return order.map(({ field }, at) => {
    const type = index?.mapping.fields.get(field)?.type;
    if (after[at] === null || type === undefined || type === 'boolean') return after[at];
    const read = types[type](after[at]);
    if (isCause(read))
      throw notSearchable(
        'illegal_argument_exception',
        `Failed to parse search_after value for field [${field}].`,
      );
    return read;
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
