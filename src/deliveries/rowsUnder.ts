import { paginateQuery } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { decodeImage, encodeItem } from '../table/attributes.ts';
import type { Fields } from '../table/entity.ts';

/** All rows of the deliveries table under a partition key, read consistently; `prefix`: only those whose `sk` begins so. */
export async function rowsUnder(
  { dynamodb, config }: Connections,
  pk: string,
  prefix?: string,
): Promise<Fields[]> {
  const pages = paginateQuery(
    { client: dynamodb },
    {
      TableName: config.SLUICE_DELIVERIES_TABLE,
      ConsistentRead: true,
      KeyConditionExpression: prefix === undefined ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: encodeItem({ ':pk': pk, ':prefix': prefix }),
    },
  );
  const rows: Fields[] = [];
  for await (const { Items = [] } of pages) rows.push(...Items.map((image) => decodeImage(image)));
  return rows;
}
