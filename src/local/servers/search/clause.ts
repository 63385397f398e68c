import { illegal, notSupported } from './error.ts';
import type { Index, Stored } from './indices.ts';
import type { Field } from './mapping.ts';

/** A document's score under a query, or undefined where it does not match. */
export type Matches = (document: Stored) => number | undefined;
/** What to mark in a field: words, as its text is cut into. */
export type Marks = Map<string, Set<string>>;
export type Compiled = { matches: Matches; marks: Marks };
export type Compile = (body: unknown, index: Index) => Compiled;

/** Inner fields such as _id are in no mapping; refused, or they would silently match nothing. */
export function fieldNamed(index: Index, name: string): Field | undefined {
  if (name.startsWith('_')) throw notSupported(`a query on [${name}]`);
  return index.mapping.fields.get(name);
}

export function numberOf(value: unknown, clause: string): number {
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  if (!Number.isFinite(number))
    throw illegal(`[${clause}] must be a number, but is [${JSON.stringify(value)}]`);
  return number;
}
