/** Where a page of a search ended: good for that very search, and no business of who carries it. */
import { canonicalJson, hash } from '../../table/canonical.ts';
import { WriteError } from '../../table/errors.ts';

/** `asked`: what was searched for. `ended`: the sort values of the last hit. */
export function cursorOf(asked: unknown, ended: readonly unknown[]): string {
  return Buffer.from(JSON.stringify([hash(canonicalJson(asked)), ...ended])).toString('base64url');
}

/** The sort values that the next page comes after: so many, a text or a number each. */
export function pageAfter(cursor: string, asked: unknown, count: number): string[] {
  const [of, ...ended] = valuesOf(cursor);
  const isEach = ended.every((value) => typeof value === 'string' || typeof value === 'number');
  if (of !== hash(canonicalJson(asked)) || ended.length !== count || !isEach)
    throw new WriteError('Invalid', 'The cursor does not belong to this search. Begin again without one.');
  return ended as string[]; // the client's types know no numbers here
}

function valuesOf(cursor: string): unknown[] {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(values) ? values : [];
  } catch {
    return [];
  }
}
