/** The audit trail against the stream: every change has its whole row, once, and each row continues the one before. */
import { planRow } from '../../sinks/audit/plan.ts';
import { readRows } from '../../sinks/audit/row.ts';
import { decodeImage, type Image } from '../../table/attributes.ts';
import type { Change } from '../../table/change.ts';
import type { Fields } from '../../table/entity.ts';
import type { Table } from '../../table/table.ts';
import { compareEntries } from './entries.ts';
import type { Finding } from './finding.ts';

/** `logged`: the changes of items that do not fit, too. */
export function compareAudit(table: Table, images: readonly Image[], logged: readonly Change[]): Finding {
  const rows = readRows(images.map((image) => decodeImage(image)));
  const expected = readRows(logged.flatMap((change) => planRow(table, change)));
  const finding = compareEntries('the audit trail', rows.map(entryOf), expected.map(entryOf), false);
  finding.missing.push(...gaps(rows));
  return finding;
}

/** What the trail itself shows to be missing, whatever the stream is believed to have said. */
function gaps(rows: readonly Fields[]): string[] {
  const shown = new Set(rows.map(({ pk, version }) => `${pk} ${version}`));
  return rows
    .filter(({ pk, versionBefore }) => versionBefore !== undefined && !shown.has(`${pk} ${versionBefore}`))
    .map(({ pk, sk }) => `a gap before ${pk} ${sk}`);
}

function entryOf(row: Fields) {
  return { id: String(row.change), fields: row };
}
