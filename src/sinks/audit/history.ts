/** An item's history, as the audit trail has it: newest first. */
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../../connections.ts';
import { decodeImage } from '../../table/attributes.ts';
import { plainJson } from '../../table/json.ts';

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
];

export async function historyOf(
  { dynamodb, config }: Connections,
  item: string,
  limit: number,
): Promise<unknown[]> {
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: config.SLUICE_AUDIT_TABLE,
      KeyConditionExpression: 'pk = :item',
      ExpressionAttributeValues: { ':item': { S: item } },
      ScanIndexForward: false,
      ConsistentRead: true,
      Limit: limit,
    }),
  );
  return Items.map((image) => {
    const row = decodeImage(image);
    return plainJson(
      Object.fromEntries(shown.filter((name) => name in row).map((name) => [name, row[name]])),
    );
  });
}
