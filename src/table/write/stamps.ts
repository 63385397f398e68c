/** What every write leaves on the item: version, who, why, which request, from what input. */
import { AttributeError, encodeAttribute } from '../attributes.ts';
import { canonicalAttribute, hash } from '../canonical.ts';
import { WriteError } from '../errors.ts';
import type { By } from '../store.ts';
import type { Stored } from '../stored.ts';
import type { Table } from '../table.ts';

/** How many requests an item remembers: a repeat is recognised until as many others have written. */
export const requestsKept = 8;

/** Over attribute values, since JSON knows neither sets nor binary. */
export function inputHash(input: unknown): string {
  return hash(canonicalAttribute(storable(() => encodeAttribute(input, 'input'))));
}

/** What cannot be stored is the caller's to mend. */
export function storable<Value>(encode: () => Value): Value {
  try {
    return encode();
  } catch (cause) {
    if (!(cause instanceof AttributeError)) throw cause;
    throw new WriteError('Invalid', cause.message, { cause });
  }
}

export function stamps(table: Table, by: By, input: string): Record<string, unknown> {
  return {
    [table.actor]: by.actor,
    [table.reason]: by.reason, // absent: removed, so that no older reason stays
    [table.request]: by.request,
    [table.hash]: input,
  };
}

/** What an item remembers of a write: its request, and what it asked for. */
export function markOf(by: By, input: string): string {
  return `${by.request}#${input.slice(0, 12)}`;
}

export function remembering(stored: Stored | undefined, mark: string): string[] {
  return [mark, ...(stored?.requests ?? []).filter((other) => other !== mark)].slice(0, requestsKept);
}

/**
 * Whether the item remembers this very write. One request asks one thing of an item: the same id with another
 * input would else be taken for a repeat, and silently dropped.
 */
export function isRepeat(what: string, stored: Stored | undefined, by: By, input: string): boolean {
  const own = markOf(by, input);
  if (stored?.requests.includes(own)) return true;
  const another = stored?.requests.some((mark) => mark.slice(0, mark.lastIndexOf('#')) === by.request);
  if (!another) return false;
  throw new WriteError(
    'IdempotencyConflict',
    `${what}: request ${by.request} came before with another input.`,
  );
}
