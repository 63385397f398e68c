/** The table's real stream, read on from where the last look ended, as Lambda would deliver it. */
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  TrimmedDataAccessException,
} from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';
import { afterAll } from 'vitest';
import { lambdaRecord } from '../../src/local/mapping/record.ts';
import { account } from '../support/shop.ts';
import type { openWorld } from './world.ts';

type World = Awaited<ReturnType<typeof openWorld>>;

/** Each call gives what the stream shows by now and did not show before. */
export async function openStreamOf(world: World): Promise<() => Promise<DynamoDBRecord[]>> {
  const client = new DynamoDBStreamsClient({ endpoint: world.proxies.dynamodb.url, ...account });
  afterAll(() => client.destroy());
  const { Table } = await world.dynamodb.send(
    new DescribeTableCommand({ TableName: world.config.SLUICE_TABLE }),
  );
  const StreamArn = Table?.LatestStreamArn ?? '';
  const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn }));
  const shards = StreamDescription?.Shards ?? [];
  const oldest = async (index: number) => {
    const start = { StreamArn, ShardId: shards[index]?.ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
    return (await client.send(new GetShardIteratorCommand(start))).ShardIterator;
  };
  const iterators = await Promise.all(shards.map((_shard, index) => oldest(index)));
  return async function newRecords() {
    const records: DynamoDBRecord[] = [];
    for (const index of iterators.keys()) {
      for (let more = true; more; ) {
        const page = await client
          .send(new GetRecordsCommand({ ShardIterator: iterators[index] }))
          .catch(notTrimmed);
        if (page === undefined) {
          iterators[index] = await oldest(index);
          continue;
        }
        const found = page.Records ?? [];
        records.push(
          ...found.map((record) => lambdaRecord(record, { region: account.region, streamArn: StreamArn })),
        );
        iterators[index] = page.NextShardIterator ?? iterators[index];
        more = found.length > 0;
      }
    }
    return records;
  };
}

/** DynamoDB Local says so of a place that was taken while the stream was empty. */
function notTrimmed(error: unknown): undefined {
  if (!(error instanceof TrimmedDataAccessException)) throw error;
}
