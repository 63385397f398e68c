/** What every write leaves on the item: version, who, why, which request, from what input. */
import { encodeAttribute } from '../attributes.ts';
import { canonicalAttribute, hash } from '../canonical.ts';
import type { By } from '../store.ts';
import type { Stored } from '../stored.ts';
import type { Table } from '../table.ts';

/** How many request ids an item keeps: a repeat is recognised until as many others have written. */
export const requestsKept = 8;

/** Over attribute values, since JSON knows neither sets nor binary. */
export function inputHash(input: unknown): string {
  return hash(canonicalAttribute(encodeAttribute(input)));
}

export function stamps(table: Table, by: By, input: string): Record<string, unknown> {
  return {
    [table.actor]: by.actor,
    [table.reason]: by.reason, // absent: removed, so that no older reason stays
    [table.request]: by.request,
    [table.hash]: input,
  };
}

export function withRequest(stored: Stored | undefined, by: By): string[] {
  const others = (stored?.requests ?? []).filter((request) => request !== by.request);
  return [by.request, ...others].slice(0, requestsKept);
}
