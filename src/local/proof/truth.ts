/** What must be true: the items as the table has them, and every change that its stream has shown. */
import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';
import type { App } from '../../pipeline/app.ts';
import type { Image } from '../../table/attributes.ts';
import { type Change, itemName } from '../../table/change.ts';
import type { Entity } from '../../table/entity.ts';
import type { Decoded } from '../../table/record.ts';
import { epochSeconds, type Store } from '../../table/store.ts';
import { readStored, type Stored } from '../../table/stored.ts';
import { lambdaRecord } from '../mapping/record.ts';

export type TrueItem = { item: string; entity: Entity; stored: Stored };
export type Truth = {
  items: TrueItem[];
  /** In the stream's order. */
  changes: Change[];
  /** With them those of items that do not fit their entity: parked, but logged all the same. */
  logged: Change[];
};

export async function readTruth(
  app: App,
  store: Store,
  streams: DynamoDBStreamsClient,
  streamArn: string,
): Promise<Truth> {
  const images = await scan(store.dynamodb, store.tableName);
  const records = await readStream(streams, streamArn);
  const logged = records.flatMap((record) => changeOf(app.decode(record)) ?? []);
  return {
    items: images.flatMap((image) => itemOf(app, store, image) ?? []),
    changes: logged.filter(({ misfit }) => misfit === undefined),
    logged,
  };
}

function changeOf(decoded: Decoded): Change | undefined {
  return 'change' in decoded ? decoded.change : undefined;
}

export async function scan(dynamodb: DynamoDBClient, TableName: string): Promise<Image[]> {
  const images: Image[] = [];
  let start: Record<string, never> | undefined;
  do {
    const page = await dynamodb.send(
      new ScanCommand({ TableName, ConsistentRead: true, ...(start && { ExclusiveStartKey: start }) }),
    );
    images.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey as Record<string, never> | undefined;
  } while (start !== undefined);
  return images;
}

function itemOf(app: App, store: Store, image: Image): TrueItem | undefined {
  const stored = readStored(app.table, image, epochSeconds(store));
  const entity = app.entities.find(({ name }) => name === stored.fields[app.table.type]);
  if (entity === undefined) return undefined;
  const key = { pk: String(stored.fields[app.table.pk]), sk: String(stored.fields[app.table.sk]) };
  return { item: itemName(entity.name, key), entity, stored };
}

/** Reads the whole stream once more, past the pipeline and its checkpoints. */
export async function readStream(
  streams: DynamoDBStreamsClient,
  StreamArn: string,
): Promise<DynamoDBRecord[]> {
  const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
  const records: DynamoDBRecord[] = [];
  for (const { ShardId } of StreamDescription?.Shards ?? []) {
    const start = { StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
    let { ShardIterator } = await streams.send(new GetShardIteratorCommand(start));
    while (ShardIterator !== undefined) {
      const page = await streams.send(new GetRecordsCommand({ ShardIterator }));
      const found = page.Records ?? [];
      records.push(...found.map((record) => lambdaRecord(record, { region: 'local', streamArn: StreamArn })));
      // A local stream shows all there is until a page is empty.
      ShardIterator = found.length === 0 ? undefined : page.NextShardIterator;
    }
  }
  return records;
}
