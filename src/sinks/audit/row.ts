/**
 * How a diff lies in an audit row: as gzipped JSON of DynamoDB's own attribute values. That is exact for all ten
 * types, takes any nesting, and is several times smaller; what still is too large for one row is spread over more.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { decodeAttribute } from '../../table/attributes.ts';
import { canonicalJson } from '../../table/canonical.ts';
import type { Fields } from '../../table/entity.ts';
import { gather } from '../../table/rowSize.ts';

/** Both sides of one attribute, as attribute values; a side that is absent had no such attribute. */
export type Difference = { before?: unknown; after?: unknown } | 'redacted';

export function packed(diff: Readonly<Record<string, Difference>>): Uint8Array {
  return new Uint8Array(gzipSync(canonicalJson(JSON.parse(JSON.stringify(diff, binaryAsText)))));
}

/**
 * The audit rows among what lies in the table, in that order: each whole, its parts put together, its diff as plain
 * values. Planned rows are read alike.
 */
export function readRows(rows: readonly Fields[]): Fields[] {
  return gather(rows, 'diff').map((row) => {
    const diff = row.diff instanceof Uint8Array ? { diff: unpacked(row.diff) } : {};
    return Object.fromEntries(Object.entries({ ...row, ...diff }).filter(([, value]) => value !== undefined));
  });
}

function unpacked(bytes: Uint8Array): Fields {
  const diff: Record<string, Difference> = JSON.parse(gunzipSync(bytes).toString());
  return Object.fromEntries(
    Object.entries(diff).map(([name, difference]) => [
      name,
      difference === 'redacted'
        ? difference
        : Object.fromEntries(
            Object.entries(difference).map(([side, value]) => [side, decodeAttribute(value, name)]),
          ),
    ]),
  );
}

/** Bytes as base64, as the stream on Lambda has them. */
function binaryAsText(_name: string, member: unknown): unknown {
  return member instanceof Uint8Array ? Buffer.from(member).toString('base64') : member;
}
