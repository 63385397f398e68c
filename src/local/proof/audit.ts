/** The audit trail against the stream: every change has its row, once, and each row continues the one before. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { decodeImage } from '../../table/attributes.ts';
import type { Change } from '../../table/change.ts';
import { counted, type Finding, nothing } from './finding.ts';
import { scan } from './truth.ts';

type AuditRow = { pk: string; sk: string; change: string; version: number; versionBefore?: number };

export async function compareAudit(
  dynamodb: DynamoDBClient,
  tableName: string,
  changes: readonly Change[],
): Promise<Finding> {
  const finding = nothing();
  const rows = (await scan(dynamodb, tableName)).map((image) => decodeImage(image) as AuditRow);
  const held = counted(rows.map(({ change }) => change));
  const expected = changes.filter(({ entity }) => entity.audit !== undefined);
  for (const { id } of expected) if (!held.has(id)) finding.missing.push(`the audit trail lacks ${id}`);
  const known = new Set(expected.map(({ id }) => id));
  for (const [id, times] of held) {
    if (times > 1) finding.doubled.push(`the audit trail has ${id} ${times} times`);
    else if (!known.has(id)) finding.doubled.push(`the audit trail has ${id}, which never happened`);
  }
  const shown = new Set(rows.map(({ pk, version }) => `${pk} ${version}`));
  for (const { pk, sk, versionBefore } of rows) {
    if (versionBefore !== undefined && !shown.has(`${pk} ${versionBefore}`))
      finding.missing.push(`a gap before ${pk} ${sk}`);
  }
  return finding;
}
