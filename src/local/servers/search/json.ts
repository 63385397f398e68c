import { malformed, notSupported } from './error.ts';

export type JsonObject = { [name: string]: unknown };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const listOf = (value: unknown): unknown[] =>
  value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];

export function objectOf(value: unknown, clause: string): JsonObject {
  if (!isObject(value)) throw malformed(`[${clause}] must be an object`);
  return value;
}

/** Refuses members that this stand-in would otherwise silently leave out. */
export function onlyKnown(object: JsonObject, known: string[], clause: string): void {
  const unknown = Object.keys(object).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw notSupported(clause === '' ? `[${unknown}]` : `[${unknown}] in [${clause}]`);
}

/** `{ "price": … }` as its name and value. */
export function onlyMember(value: unknown, clause: string): [name: string, value: unknown] {
  const [first, second] = Object.entries(objectOf(value, clause));
  if (first === undefined) throw malformed(`[${clause}] must name one field or query`);
  if (second !== undefined)
    throw malformed(`[${clause}] takes one member, but found [${first[0]}] and [${second[0]}]`);
  return first;
}
