/** An item's history, as the audit trail has it: newest first. */
import { paginateQuery } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../../connections.ts';
import { decodeImage } from '../../table/attributes.ts';
import type { Fields } from '../../table/entity.ts';
import { plainJson } from '../../table/json.ts';
import { readRows } from './row.ts';

const shown = [
  'version',
  'kind',
  'exact',
  'inexact',
  'expired',
  'actor',
  'reason',
  'request',
  'occurredAt',
  'diff',
  'sink',
  'discarded',
  'mailSettled',
  'as',
  'incomplete',
];

export async function historyOf(
  { dynamodb, config }: Connections,
  item: string,
  limit: number,
): Promise<unknown[]> {
  const pages = paginateQuery(
    { client: dynamodb, pageSize: limit },
    {
      TableName: config.SLUICE_AUDIT_TABLE,
      KeyConditionExpression: 'pk = :item',
      ExpressionAttributeValues: { ':item': { S: item } },
      ScanIndexForward: false,
      ConsistentRead: true,
    },
  );
  const rows: Fields[] = [];
  for await (const { Items = [] } of pages) {
    rows.push(...Items.map((image) => decodeImage(image)));
    // In this order a row's parts come before it: what is there of a row is all of it.
    if (rows.filter(({ part }) => part === undefined).length >= limit) break;
  }
  const whole = readRows(rows).slice(0, limit);
  return whole.map((row) =>
    plainJson(Object.fromEntries(shown.filter((name) => name in row).map((name) => [name, row[name]]))),
  );
}
