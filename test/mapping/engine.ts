import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { openDynamoDB } from '../support/dynamodb.ts';

/** A DynamoDB with streams of its own, in memory. */
export async function openEngine() {
  const { url, stop } = await openDynamoDB();
  const client = new DynamoDBClient({
    endpoint: url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  return {
    port: Number(new URL(url).port),
    client,
    async stop() {
      client.destroy();
      await stop();
    },
  };
}

/** A new table with key `pk`; its stream's ARN. */
export async function createTable(client: DynamoDBClient, name: string): Promise<string> {
  const { TableDescription: table } = await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  );
  return table?.LatestStreamArn ?? '';
}
