/** The audit trail against the stream: every change has its whole row, once, and each row continues the one before. */
import { planRow } from '../../sinks/audit/plan.ts';
import { readRows } from '../../sinks/audit/row.ts';
import { decodeImage, type Image } from '../../table/attributes.ts';
import type { Change } from '../../table/change.ts';
import type { Fields } from '../../table/entity.ts';
import type { Table } from '../../table/table.ts';
import { compareEntries, type Entry } from './entries.ts';
import type { Finding } from './finding.ts';

/** `logged`: the changes of items that do not fit, too. */
export function compareAudit(table: Table, images: readonly Image[], logged: readonly Change[]): Finding {
  const known = new Set(logged.map(({ id }) => id));
  const whole = readRows(images.map((image) => decodeImage(image)));
  // A recording of another table is no part of this one's history.
  const rows = whole.filter(({ replay, change }) => replay !== true || known.has(String(change)));
  const expected = readRows(logged.flatMap((change) => planRow(table, change)));
  const finding = compareEntries('the audit trail', rows.map(entryOf), expected.map(entryOf), false);
  finding.missing.push(...gaps(rows));
  return { ...finding, replayed: whole.length - rows.length };
}

/** What the trail itself shows to be missing, whatever the stream is believed to have said. */
function gaps(rows: readonly Fields[]): string[] {
  const shown = new Set(rows.map(({ pk, version }) => `${pk} ${version}`));
  return rows
    .filter(({ pk, versionBefore }) => versionBefore !== undefined && !shown.has(`${pk} ${versionBefore}`))
    .map(({ pk, sk }) => `a gap before ${pk} ${sk}`);
}

/** The items of which the trail has changes, but only such as a replay has brought. */
export function replayedItems(images: readonly Image[], logged: readonly Change[]): Set<string> {
  const own = new Set(logged.map(({ item }) => item));
  const rows = images.map((image) => decodeImage(image)).filter(({ replay }) => replay === true);
  return new Set(rows.map(({ pk }) => String(pk)).filter((item) => !own.has(item)));
}

/** Whether it came by a replay first is no part of what happened. */
function entryOf({ replay, ...row }: Fields): Entry {
  return { id: String(row.change), fields: row };
}
