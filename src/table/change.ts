/** A change: one stream record, decoded. Every sink plans from it and from nothing else. */
import type { Image } from './attributes.ts';
import { hash } from './canonical.ts';
import type { Entity, Fields } from './entity.ts';

export type Key = { pk: string; sk: string };

export type Change = {
  /** Deterministic: entity, key and version; where inexact, the stream's own event id instead of the version. */
  id: string;
  entity: Entity;
  key: Key;
  /** Names the item everywhere: in the audit trail, the outbox, the search index. */
  item: string;
  kind: 'insert' | 'modify' | 'remove';
  /**
   * The declared fields; of an item that does not fit its entity, all that it holds. Absent before a creation and
   * after a removal.
   */
  before: Fields | undefined;
  after: Fields | undefined;
  /** A new incarnation began: a first creation, or one after a removal. */
  born: boolean;
  /** Removed by DynamoDB's time to live. */
  expired: boolean;
  version: number;
  /** The version that the item itself carries after the change, if any. */
  carried: number | undefined;
  versionBefore: number | undefined;
  /** Why the version cannot be trusted; absent for every item written through Sluice or adopted by it. */
  inexact?: string;
  /** Why the item does not fit its entity: the cache and the audit trail still act on it, the others must not. */
  misfit?: string;
  /** The record's own time, ISO 8601, to the second. */
  occurredAt: string;
  /** When the item expires, epoch seconds. */
  expiresAt: number | undefined;
  actor: string | undefined;
  reason: string | undefined;
  request: string | undefined;
  images: { before: Image | undefined; after: Image | undefined };
};

/** Why a change is inexact: the table's version attribute is maintained by somebody else, and left alone. */
export const othersVersion = 'its version is not of Sluice';

/** Bytes of a name that can be read whole. An OpenSearch id has 512, and what is named may add a version. */
const longestName = 400;
const longestStart = 100;

/**
 * Names an item: entity and key, unambiguous, with exactly two slashes. DynamoDB takes keys longer than most places
 * take names: a long one is named by the beginnings of its parts and the SHA-256 of the whole, with three slashes,
 * so that no other key can be spelled like it.
 */
export function itemName(entity: string, key: Key): string {
  const parts = [entity, key.pk, key.sk].map(escaped);
  const name = parts.join('/');
  return Buffer.byteLength(name) <= longestName ? name : [...parts.map(startOf), hash(name)].join('/');
}

/** Cut between characters, and before an escape that would be cut in two. */
function startOf(part: string): string {
  const start = Buffer.from(part).subarray(0, longestStart);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(start, { stream: true }).replace(/%2?$/, '');
}

/** A version as text of one length, so that texts sort as versions do (they stay below 2^53: 16 digits). */
export function versionText(version: number): string {
  return String(version).padStart(16, '0');
}

export function changeId(item: string, version: number, inexactEventId?: string): string {
  return `${item}/${inexactEventId === undefined ? versionText(version) : `~${escaped(inexactEventId)}`}`;
}

function escaped(part: string): string {
  return part.replaceAll('%', '%25').replaceAll('/', '%2F');
}
