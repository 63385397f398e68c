/** Tables for a scenario: on dynoxide, or behind a door of its own on a DynamoDB Local. */
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { startDynamoDB } from '../../src/local/servers/dynamodb.ts';
import { openDoor } from '../support/door.ts';
import { account } from '../support/shop.ts';

export type Tables = Awaited<ReturnType<typeof openTables>>;

/** `endpoint`: of the real one. */
export async function openTables(endpoint?: string) {
  const server = await (endpoint === undefined ? startDynamoDB() : openDoor(endpoint));
  const dynamodb = new DynamoDBClient({ endpoint: server.url, ...account, maxAttempts: 1 });
  const streams = new DynamoDBStreamsClient({ endpoint: server.url, ...account, maxAttempts: 1 });
  let count = 0;
  return {
    dynamodb,
    streams,
    /** A new table with an index `byGroup`; its stream has both images. */
    async newTable(name = `table-${++count}`): Promise<{ TableName: string; StreamArn: string }> {
      const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' }) as const;
      const { TableDescription } = await dynamodb.send(
        new CreateTableCommand({
          TableName: name,
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
          AttributeDefinitions: ['pk', 'sk', 'group'].map(attribute),
          GlobalSecondaryIndexes: [
            {
              IndexName: 'byGroup',
              KeySchema: [
                { AttributeName: 'group', KeyType: 'HASH' },
                { AttributeName: 'sk', KeyType: 'RANGE' },
              ],
              Projection: { ProjectionType: 'ALL' },
            },
          ],
          StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
        }),
      );
      return { TableName: name, StreamArn: TableDescription?.LatestStreamArn ?? '' };
    },
    async stop() {
      dynamodb.destroy();
      streams.destroy();
      await server.stop();
    },
  };
}
