import { randomBytes } from 'node:crypto';
import { SearchError } from './error.ts';
import { type Index, store } from './indices.ts';
import type { JsonObject } from './json.ts';

export type Versioning = { type: 'external' | 'external_gte'; version: number };
export type Write = {
  id: string | undefined;
  versioning: Versioning | undefined;
  /** What to index; a removal has none. */
  source: JsonObject | undefined;
};
type Written = { id: string; version: number; seqNo: number; result: string; status: number };

/** Applies one write, or throws what the real server answers for that item. */
export function write(index: Index, { id, versioning, source }: Write, now: number): Written {
  if (id === '')
    throw new SearchError(400, 'illegal_argument_exception', 'if _id is specified it must not be empty');
  const key = id ?? randomBytes(15).toString('base64url');
  const existing = index.documents.get(key);
  const known = existing?.version ?? graveVersion(index, key, now);
  const version = versioning?.version ?? (known ?? 0) + 1;
  if (versioning !== undefined && known !== undefined) refuseOlder(index, key, versioning, known);
  if (source !== undefined) {
    const { seqNo } = store(index, key, version, source);
    return { id: key, version, seqNo, ...(existing ? UPDATED : CREATED) };
  }
  if (existing !== undefined) {
    index.documents.delete(key);
    index.text.remove(key);
  }
  // Also for what was not there: a late, older write must not bring it about.
  index.graves.set(key, { version, until: now + index.gcDeletes });
  return { id: key, version, seqNo: index.nextSeqNo++, ...(existing ? DELETED : NOT_FOUND) };
}

const CREATED = { result: 'created', status: 201 };
const UPDATED = { result: 'updated', status: 200 };
const DELETED = { result: 'deleted', status: 200 };
const NOT_FOUND = { result: 'not_found', status: 404 };

function graveVersion(index: Index, id: string, now: number): number | undefined {
  const grave = index.graves.get(id);
  if (grave !== undefined && grave.until <= now) index.graves.delete(id);
  return index.graves.get(id)?.version;
}

function refuseOlder(index: Index, id: string, { type, version }: Versioning, known: number): void {
  const refused = type === 'external' ? version <= known : version < known;
  if (!refused) return;
  const comparison = type === 'external' ? 'higher or equal to' : 'higher than';
  throw new SearchError(
    409,
    'version_conflict_engine_exception',
    `[${id}]: version conflict, current version [${known}] is ${comparison} the one provided [${version}]`,
    { details: { index: index.name, index_uuid: index.uuid, shard: '0' } },
  );
}
