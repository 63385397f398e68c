/** What the event source mapping and `record` build on: streams of DynamoDB. */
import { setTimeout as wait } from 'node:timers/promises';
import {
  type AttributeValue,
  DeleteItemCommand,
  DeleteTableCommand,
  type DynamoDBClient,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type ShardIteratorType,
} from '@aws-sdk/client-dynamodb-streams';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Sentence, scenario } from './scenario.ts';
import { openTables, type Tables } from './tables.ts';

type Item = Record<string, AttributeValue>;

const key = (pk: string): Item => ({ pk: { S: pk }, sk: { S: 'x' } });
const item = (pk: string, n: number): Item => ({ ...key(pk), n: { N: String(n) } });

/** Writes that change nothing of the item a, whose n is 1 and whose set is x and y. */
const idle: [what: string, change: (dynamodb: DynamoDBClient, TableName: string) => Promise<unknown>][] = [
  ['putting what is there', putting({ ...item('a', 1), set: { SS: ['x', 'y'] } })],
  ['putting its set in another order', putting({ ...item('a', 1), set: { SS: ['y', 'x'] } })],
  ['putting its number in other digits', putting({ ...key('a'), n: { N: '1.0' }, set: { SS: ['x', 'y'] } })],
  ['setting what is set', updating('SET n = :n', { ':n': { N: '1' } })],
  ['adding nothing', updating('ADD n :n', { ':n': { N: '0' } })],
  ['taking away what it lacks', updating('REMOVE nothing')],
  [
    'removing what is not there',
    (dynamodb, TableName) => dynamodb.send(new DeleteItemCommand({ TableName, Key: key('nobody') })),
  ],
];

function putting(Item: Item) {
  return (dynamodb: DynamoDBClient, TableName: string) =>
    dynamodb.send(new PutItemCommand({ TableName, Item }));
}

function updating(UpdateExpression: string, values?: Item) {
  return (dynamodb: DynamoDBClient, TableName: string) =>
    dynamodb.send(
      new UpdateItemCommand({
        TableName,
        Key: key('a'),
        UpdateExpression,
        ...(values && { ExpressionAttributeValues: values }),
      }),
    );
}

scenario('stream', ['dynoxide', script()], { dynamodb: script });

function script(endpoint?: string) {
  return (sentence: Sentence) => {
    let tables: Tables;
    beforeAll(async () => {
      tables = await openTables(endpoint);
    });
    afterAll(() => tables.stop());

    /** A new table with its stream, of which all is seen that was written. */
    async function opened() {
      const { TableName, StreamArn } = await tables.newTable();
      return {
        TableName,
        StreamArn,
        ...reading(tables, StreamArn),
        put: (Item: Item) => tables.dynamodb.send(new PutItemCommand({ TableName, Item })),
        remove: (pk: string) => tables.dynamodb.send(new DeleteItemCommand({ TableName, Key: key(pk) })),
      };
    }

    sentence('insert, change and removal come in order, with keys and both images', async () => {
      const { put, remove, records } = await opened();
      const bytes = new Uint8Array([0, 254, 255]);
      const rich = {
        ...key('a'),
        b: { B: bytes },
        s: { BS: [bytes] },
        m: { M: { l: { L: [{ NULL: true }] } } },
      };
      await put(rich as Item);
      await put(item('a', 2));
      await remove('a');
      const [first, second, third, ...others] = await records();
      expect(others).toEqual([]);
      const common = { eventSource: 'aws:dynamodb', eventVersion: '1.1' };
      const Keys = key('a');
      expect(first).toMatchObject({ ...common, eventName: 'INSERT', dynamodb: { Keys, NewImage: rich } });
      expect(first?.dynamodb?.OldImage).toBeUndefined();
      expect(second).toMatchObject({
        eventName: 'MODIFY',
        dynamodb: { Keys, OldImage: rich, NewImage: item('a', 2), StreamViewType: 'NEW_AND_OLD_IMAGES' },
      });
      expect(third).toMatchObject({ eventName: 'REMOVE', dynamodb: { Keys, OldImage: item('a', 2) } });
      expect(third?.dynamodb?.NewImage).toBeUndefined();
    });

    for (const [what, change] of idle)
      sentence(`no record comes of ${what}`, async () => {
        const { TableName, put, records } = await opened();
        await put({ ...item('a', 1), set: { SS: ['x', 'y'] } });
        await change(tables.dynamodb, TableName);
        await put(item('b', 1));
        expect((await records()).map(({ dynamodb }) => dynamodb?.Keys?.pk?.S)).toEqual(['a', 'b']);
      });

    sentence('a transaction gives a record for each of its items', async () => {
      const { TableName, records } = await opened();
      const TransactItems = ['a', 'b', 'c'].map((pk) => ({ Put: { TableName, Item: item(pk, 1) } }));
      await tables.dynamodb.send(new TransactWriteItemsCommand({ TransactItems }));
      expect((await records()).map(({ dynamodb }) => dynamodb?.Keys?.pk?.S).sort()).toEqual(['a', 'b', 'c']);
    });

    sentence('sequence numbers grow, and one reads on after any of them', async () => {
      const { put, records, iterator, page } = await opened();
      for (let n = 1; n <= 12; n++) await put(item('a', n));
      const all = await records();
      const numbers = all.map(({ dynamodb }) => BigInt(dynamodb?.SequenceNumber ?? -1));
      expect(numbers.every((one, at) => at === 0 || one > (numbers[at - 1] ?? one))).toBe(true);
      const from = all[4]?.dynamodb?.SequenceNumber;
      const after = await page(await iterator('AFTER_SEQUENCE_NUMBER', from));
      expect(after.Records).toEqual(all.slice(5));
      const at = await page(await iterator('AT_SEQUENCE_NUMBER', from));
      expect(at.Records).toEqual(all.slice(4));
    });

    sentence('one reads on by the next iterator, and the same again by the same', async () => {
      const { put, iterator, page } = await opened();
      for (let n = 1; n <= 3; n++) await put(item('a', n));
      const start = await iterator('TRIM_HORIZON');
      const first = await page(start, 2);
      expect(first.Records).toHaveLength(2);
      expect(await page(start, 2)).toMatchObject({ Records: first.Records });
      const second = await page(first.NextShardIterator);
      expect(second.Records?.map(({ dynamodb }) => dynamodb?.NewImage?.n?.N)).toEqual(['3']);
      expect((await page(second.NextShardIterator)).Records).toEqual([]);
      await put(item('a', 4));
      const later = await page(second.NextShardIterator);
      expect(later.Records?.map(({ dynamodb }) => dynamodb?.NewImage?.n?.N)).toEqual(['4']);
    });

    sentence('an event has one id, however often it is read, and no other has it', async () => {
      const { put, records } = await opened();
      for (const pk of ['a', 'b', 'c']) await put(item(pk, 1));
      const [once, again] = [await records(), await records()].map((all) =>
        all.map(({ eventID }) => eventID),
      );
      expect(new Set(once).size).toBe(3);
      expect(again).toEqual(once);
    });

    sentence('the oldest of a stream without records is nothing, and what comes then is seen', async () => {
      const { put, iterator, page } = await opened();
      const { Records, NextShardIterator } = await page(await iterator('TRIM_HORIZON'));
      expect(Records).toEqual([]);
      await put(item('a', 1));
      expect((await page(NextShardIterator)).Records).toHaveLength(1);
    });

    sentence('a place taken while a stream was empty is still its beginning later', async () => {
      const { put, iterator, page } = await opened();
      const other = await opened();
      const start = await iterator('TRIM_HORIZON');
      await other.put(item('b', 1));
      await put(item('a', 1));
      expect((await page(start)).Records).toHaveLength(1);
    });

    sentence('LATEST begins after what was written before', async () => {
      const { put, iterator, page } = await opened();
      await put(item('a', 1));
      const latest = await iterator('LATEST');
      await put(item('a', 2));
      const { Records } = await page(latest);
      expect(Records?.map(({ dynamodb }) => dynamodb?.NewImage?.n?.N)).toEqual(['2']);
    });

    sentence('a page has no more than 1,000 records', async () => {
      const { TableName, iterator, page } = await opened();
      for (let batch = 0; batch < 11; batch++) {
        const TransactItems = Array.from({ length: 100 }, (_, at) => ({
          Put: { TableName, Item: item(`${batch}/${at}`, 1) },
        }));
        await tables.dynamodb.send(new TransactWriteItemsCommand({ TransactItems }));
      }
      const first = await page(await iterator('TRIM_HORIZON'));
      expect(first.Records?.length).toBeLessThanOrEqual(1_000);
      const second = await page(first.NextShardIterator);
      expect((first.Records?.length ?? 0) + (second.Records?.length ?? 0)).toBe(1_100);
    });

    sentence('a page has no more than 1 MB', async () => {
      const { put, records } = await opened();
      for (const pk of ['a', 'b', 'c', 'd']) await put({ ...key(pk), a: { S: 'x'.repeat(390_000) } });
      expect((await records()).length).toBeLessThan(4);
    });

    sentence('what is no iterator is refused', async () => {
      const { page } = await opened();
      await expect(page('no-iterator')).rejects.toMatchObject({ name: 'ValidationException' });
    });

    sentence('a shard that is still written to has no last number', async () => {
      const { put, shards } = await opened();
      await put(item('a', 1));
      const [shard] = await shards();
      expect(shard?.SequenceNumberRange?.EndingSequenceNumber).toBeUndefined();
    });

    sentence('a table made again has another stream, and the former name never gives that', async () => {
      const { TableName, StreamArn, put } = await opened();
      await put(item('a', 1));
      await tables.dynamodb.send(new DeleteTableCommand({ TableName }));
      await wait(1_100); // a stream is called by the time when it was made
      const again = await tables.newTable(TableName);
      expect(again.StreamArn).not.toBe(StreamArn);
      await tables.dynamodb.send(new PutItemCommand({ TableName, Item: item('b', 1) }));
      const former = await tables.streams
        .send(new DescribeStreamCommand({ StreamArn }))
        .catch((error: Error) => error.name);
      if (typeof former === 'string') expect(former).toBe('ResourceNotFoundException');
      else {
        expect(former.StreamDescription?.StreamArn).toBe(StreamArn);
        const { records } = reading(tables, StreamArn);
        expect((await records()).map(({ dynamodb }) => dynamodb?.Keys?.pk?.S)).toEqual(['a']);
      }
    });

    sentence('a record says in which second it was made', async () => {
      const { put, records } = await opened();
      const second = () => Math.floor(Date.now() / 1_000);
      while (second() % 60 < 2) await wait(200); // or a whole minute would pass for it
      const before = second();
      await put(item('a', 1));
      const [record] = await records();
      const at = Number(record?.dynamodb?.ApproximateCreationDateTime) / 1_000;
      expect(at).toBeGreaterThanOrEqual(before);
      expect(at).toBeLessThanOrEqual(second());
    });
  };
}

function reading(tables: Tables, StreamArn: string) {
  const shards = async () => {
    const { StreamDescription } = await tables.streams.send(new DescribeStreamCommand({ StreamArn }));
    return StreamDescription?.Shards ?? [];
  };
  const iterator = async (ShardIteratorType: ShardIteratorType, SequenceNumber?: string) => {
    const [shard] = await shards();
    const from = { StreamArn, ShardId: shard?.ShardId, ShardIteratorType, SequenceNumber };
    return (await tables.streams.send(new GetShardIteratorCommand(from))).ShardIterator;
  };
  const page = (ShardIterator: string | undefined, Limit?: number) =>
    tables.streams.send(new GetRecordsCommand({ ShardIterator, Limit }));
  return {
    shards,
    iterator,
    page,
    records: async () => (await page(await iterator('TRIM_HORIZON'))).Records ?? [],
  };
}
