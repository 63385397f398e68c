import { paginateQuery } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { decodeImage, encodeItem } from '../table/attributes.ts';
import type { Fields } from '../table/entity.ts';

type Found = {
  rows: Fields[];
  /** There are others behind them. */
  more: boolean;
};

/** All rows of the deliveries table under a partition key, read consistently. */
export async function rowsUnder(connections: Connections, pk: string): Promise<Fields[]> {
  return (await someRowsUnder(connections, pk, '', () => false)).rows;
}

/** Those whose `sk` begins with the prefix, until there are enough: a page holds a megabyte. */
export async function someRowsUnder(
  { dynamodb, config }: Connections,
  pk: string,
  prefix: string,
  isEnough: (rows: readonly Fields[]) => boolean,
): Promise<Found> {
  const pages = paginateQuery(
    { client: dynamodb },
    {
      TableName: config.SLUICE_DELIVERIES_TABLE,
      ConsistentRead: true,
      KeyConditionExpression: prefix === '' ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: encodeItem({ ':pk': pk, ...(prefix !== '' && { ':prefix': prefix }) }),
    },
  );
  const rows: Fields[] = [];
  for await (const { Items = [], LastEvaluatedKey } of pages) {
    rows.push(...Items.map((image) => decodeImage(image)));
    if (LastEvaluatedKey !== undefined && isEnough(rows)) return { rows, more: true };
  }
  return { rows, more: false };
}
