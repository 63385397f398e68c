/** What lies in the table under a key, as the write and the read side see it. */
import { decodeImage, type Image } from './attributes.ts';
import type { Entity, Fields } from './entity.ts';
import { WriteError } from './errors.ts';
import type { Table } from './table.ts';
import { versionOf } from './versions.ts';

export type Stored = {
  fields: Fields;
  version: number | undefined;
  /** Neither removed nor past its time to live, though it may still lie there. */
  live: boolean;
  /** Ids of the last requests that wrote under the optimistic lock, newest first. */
  requests: readonly string[];
  /** The version at which this incarnation was created. */
  born: number | undefined;
  creator: string | undefined;
  /** Hash of the input it was created from. */
  created: string | undefined;
};

/** An item as callers get it: its declared fields, and the version that the next write names. */
export type Found<Item> = { item: Item; version: number; expiresAt: number | undefined };

export function readStored(table: Table, image: Image, epochSeconds: number): Stored {
  const fields = decodeImage(image);
  const expiry = numberOf(fields[table.ttl]);
  const requests = fields[table.requests];
  return {
    fields,
    version: versionOf(fields, table),
    live: fields[table.removed] === undefined && !(expiry !== undefined && expiry <= epochSeconds),
    requests: Array.isArray(requests) ? requests.map(String) : [],
    born: numberOf(fields[table.born]),
    creator: textOf(fields[table.creator]),
    created: textOf(fields[table.created]),
  };
}

export function toFound<Item extends Fields>(
  entity: Entity<Item>,
  table: Table,
  stored: Stored,
): Found<Item> {
  const parsed = entity.parse(stored.fields);
  if ('misfit' in parsed)
    throw new WriteError('Invalid', `A stored ${entity.name} does not fit its schema: ${parsed.misfit}`);
  return {
    item: parsed.item,
    version: stored.version ?? 0,
    expiresAt: numberOf(stored.fields[table.ttl]),
  };
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
