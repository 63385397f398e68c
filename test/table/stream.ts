/** What the real table's stream holds, as Lambda would deliver it. */
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';
import { lambdaRecord } from '../../src/local/mapping/record.ts';
import { account, type LocalShop } from '../support/shop.ts';

export async function recordsOf({ endpoint, streams }: LocalShop): Promise<DynamoDBRecord[]> {
  const client = new DynamoDBStreamsClient({ endpoint, ...account });
  const StreamArn = streams.table;
  const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn }));
  const ShardId = StreamDescription?.Shards?.[0]?.ShardId;
  const from = { StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
  const { ShardIterator } = await client.send(new GetShardIteratorCommand(from));
  const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
  client.destroy();
  return Records.map((record) => lambdaRecord(record, { region: account.region, streamArn: StreamArn }));
}
