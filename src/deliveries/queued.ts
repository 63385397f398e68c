import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { decodeImage, encodeItem } from '../table/attributes.ts';
import type { Fields } from '../table/entity.ts';
import { dueIndex, queuesOf } from './rows.ts';

/** The rows of a queue that are due by then (epoch milliseconds), as far as the index shows them: it lags a little. */
export async function queuedRows(
  dynamodb: DynamoDBClient,
  TableName: string,
  queue: string,
  before: number,
  limit: number,
): Promise<Fields[]> {
  const parts = queuesOf(queue);
  const pages = await Promise.all(
    parts.map((part) =>
      dynamodb.send(
        new QueryCommand({
          TableName,
          IndexName: dueIndex,
          KeyConditionExpression: '#queue = :queue AND #due <= :before',
          ExpressionAttributeNames: { '#queue': 'queue', '#due': 'due' },
          ExpressionAttributeValues: encodeItem({ ':queue': part, ':before': before }),
          Limit: Math.ceil(limit / parts.length),
        }),
      ),
    ),
  );
  return pages.flatMap(({ Items = [] }) => Items.map((image) => decodeImage(image)));
}
