/** What the search index must hold after a change: the whole document, a deleted mark, or what a re-read shows. */
import { isAdoption } from '../../table/adopt.ts';
import { canonicalJson, sameAttribute } from '../../table/canonical.ts';
import type { Change, Key } from '../../table/change.ts';
import type { Entity, Fields } from '../../table/entity.ts';
import { plainJson } from '../../table/json.ts';
import type { Table } from '../../table/table.ts';

/**
 * The marks that Sluice adds to a document. Searches never see a removed one, nor an expired one; the item's name puts
 * those in order that nothing else tells apart.
 */
export const marks = {
  item: 'sluiceItem',
  removedAt: 'sluiceRemovedAt',
  expiresAt: 'sluiceExpiresAt',
} as const;

type Place = { index: string; id: string; key: Key; version: number };

export type SearchRequest =
  | (Place & { kind: 'document'; document: Fields })
  /** The version cannot be trusted: the item itself is read, and what it is now is indexed. The newest comes last. */
  | (Place & { kind: 'reread'; changes: readonly Seen[] });

/** What a re-read has to know of the changes that made it needed. */
export type Seen = Pick<Change, 'entity' | 'occurredAt' | 'carried' | 'versionBefore'>;

export function plan(change: Change): SearchRequest[] {
  if (change.inexact !== undefined) return reread(change);
  const place = placeOf(change);
  if (place === undefined) return [];
  const document =
    change.after === undefined
      ? removedMark(change.occurredAt)
      : documentOf(change.entity, change.after, change.expiresAt);
  return [{ ...place, kind: 'document', document }];
}

/** Whatever the change says, what its item is now is to be indexed. */
export function reread(change: Change): SearchRequest[] {
  const place = placeOf(change);
  return place === undefined ? [] : [{ ...place, kind: 'reread', changes: [change] }];
}

function placeOf({ entity, item: id, key, version }: Change): Place | undefined {
  return entity.search && { index: entity.search.index, id, key, version };
}

/**
 * The document is the same before and after: the index needs no other, only the versions differ. Not so where the
 * item did not fit before, since then it may never have been indexed; nor of an adoption, whose version is to bring
 * back what the index holds for older.
 */
export function isUnaffected(table: Table, change: Change): boolean {
  const { entity, inexact, kind, before, after, images } = change;
  if (entity.search === undefined || inexact !== undefined || kind !== 'modify' || isAdoption(change))
    return false;
  if (before === undefined || after === undefined || 'misfit' in entity.parse(before)) return false;
  if (!sameAttribute(images.before?.[table.ttl], images.after?.[table.ttl])) return false;
  const [old, now] = [before, after].map((item) => canonicalJson(documentOf(entity, item, undefined)));
  return old === now;
}

/** The newest version stands; a re-read stands over all, since it shows what is there now. */
export function newer(one: SearchRequest, other: SearchRequest): SearchRequest {
  const [older, newest] = one.version > other.version ? [other, one] : [one, other];
  if (older.kind === 'document') return newest;
  const later = newest.kind === 'reread' ? newest.changes : [];
  return { ...older, version: newest.version, changes: [...older.changes, ...later] };
}

export function documentOf(entity: Entity, item: Fields, expiresAt: number | undefined): Fields {
  const document = plainJson(entity.search?.document(item) ?? {}) as Fields;
  return expiresAt === undefined
    ? document
    : { ...document, [marks.expiresAt]: new Date(expiresAt * 1000).toISOString() };
}

export function removedMark(at: string): Fields {
  return { [marks.removedAt]: at };
}
