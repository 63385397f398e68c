/** The audit row of a change: who, why and what differs, under the item and in version order. */
import type { Image } from '../../table/attributes.ts';
import { canonicalImage, hash, sameAttribute } from '../../table/canonical.ts';
import { type Change, versionText } from '../../table/change.ts';
import type { Row } from '../../table/putAbsent.ts';
import { shortened } from '../../table/rowSize.ts';
import type { Table } from '../../table/table.ts';
import { type Difference, packed } from './row.ts';

/**
 * Two rows, planned or stored, are the same if `readRows` gives the same for both. Their bytes can differ: zlib does
 * not write the same in every version.
 *
 * `replay`: a person has asked for it again. That is no part of the hash: what was there already stays as it is.
 */
export function planRow(table: Table, change: Change, replay = false): Row[] {
  const { entity, images } = change;
  if (entity.audit === undefined) return [];
  return [
    {
      pk: change.item,
      sk: rowOrder(change),
      hash: hash(
        [images.before, images.after]
          .map((image) => (image === undefined ? '-' : canonicalImage(image)))
          .join('\n'),
      ),
      change: change.id,
      entity: entity.name,
      kind: change.kind,
      version: change.version,
      versionBefore: change.versionBefore,
      exact: change.inexact === undefined,
      inexact: change.inexact,
      misfit: shortened(change.misfit),
      expired: change.expired,
      actor: shortened(change.actor),
      reason: shortened(change.reason),
      request: shortened(change.request),
      ...(replay && { replay }),
      occurredAt: change.occurredAt,
      diff: packed(difference(table, images.before, images.after, entity.audit.redact)),
    },
  ];
}

/** Version order; an inexact change stands at its version under the stream's own event id. */
function rowOrder(change: Change): string {
  const last = change.id.slice(change.id.lastIndexOf('/') + 1);
  return change.inexact === undefined ? last : `${versionText(change.version)}${last}`;
}

function difference(
  table: Table,
  before: Image = {},
  after: Image = {},
  redact: readonly string[],
): Record<string, Difference> {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !table.reserved.has(name),
  );
  const changed = names.filter((name) => !sameAttribute(own(before, name), own(after, name)));
  return Object.fromEntries(
    changed.map((name) => [
      name,
      redact.includes(name) ? 'redacted' : { before: own(before, name), after: own(after, name) },
    ]),
  );
}

function own(image: Image, name: string): Image[string] | undefined {
  return Object.hasOwn(image, name) ? image[name] : undefined;
}
