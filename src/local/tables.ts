/** Creates the tables on the local DynamoDB, or on one that was named. */
import {
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';
import type { Config } from '../config.ts';
import type { Table } from '../table/table.ts';
import { type TableShape, tablesOf } from '../tables.ts';

export type StreamArns = { table: string; outbox: string };

/** Creates each table that is not there yet, and says where the two streams are. */
export async function ensureTables(
  dynamodb: DynamoDBClient,
  config: Config,
  table: Table,
): Promise<StreamArns> {
  const tables = tablesOf(table);
  await create(dynamodb, config.SLUICE_TABLE, tables.table);
  await create(dynamodb, config.SLUICE_OUTBOX_TABLE, tables.outbox);
  await create(dynamodb, config.SLUICE_DELIVERIES_TABLE, tables.deliveries);
  await create(dynamodb, config.SLUICE_AUDIT_TABLE, tables.audit);
  return {
    table: await streamOf(dynamodb, config.SLUICE_TABLE),
    outbox: await streamOf(dynamodb, config.SLUICE_OUTBOX_TABLE),
  };
}

async function create(dynamodb: DynamoDBClient, TableName: string, shape: TableShape): Promise<void> {
  const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes, streamed } = shape;
  const command = new CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema,
    AttributeDefinitions,
    ...(GlobalSecondaryIndexes.length > 0 && { GlobalSecondaryIndexes }),
    ...(streamed && { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } }),
  });
  try {
    await dynamodb.send(command);
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
}

async function streamOf(dynamodb: DynamoDBClient, TableName: string): Promise<string> {
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
  const arn = Table?.LatestStreamArn;
  if (arn === undefined)
    throw new Error(`The table ${TableName} has no stream; turn it on with NEW_AND_OLD_IMAGES.`);
  return arn;
}
