/** The parked records against table and stream: whatever does not fit its entity is set aside, for a person to see. */
import { readParked } from '../../deliveries/records.ts';
import type { App } from '../../pipeline/app.ts';
import { readEntry } from '../../pipeline/batch.ts';
import { decodeSafely } from '../../pipeline/stream.ts';
import { decodeImage, type Image } from '../../table/attributes.ts';
import { type Finding, nothing } from './finding.ts';
import type { Truth } from './truth.ts';

/** `images`: the deliveries table. */
export function compareParked(app: App, images: readonly Image[], { items, logged }: Truth): Finding {
  const finding = nothing();
  const rows = readParked(images.map((image) => decodeImage(image)));
  const parked = new Set(rows.flatMap(({ record }) => changeOf(app, record) ?? []));
  const misfits = logged.filter(({ misfit }) => misfit !== undefined).map(({ id }) => id);
  // Asked of the items themselves as well: a misfit that was let through would not be among the misfits.
  const unfit = items
    .filter(({ entity, stored }) => stored.live && 'misfit' in entity.parse(stored.fields))
    .map(({ item }) => logged.findLast((change) => change.item === item)?.id ?? item);
  for (const id of new Set([...misfits, ...unfit]))
    if (!parked.has(id)) finding.missing.push(`${id} does not fit its entity, and is not parked`);
  return finding;
}

/** The id of the change that a parked record shows, if it can be read. */
function changeOf(app: App, record: unknown): string | undefined {
  const decoded = decodeSafely(app, readEntry(record));
  return 'change' in decoded ? decoded.change?.id : undefined;
}
