import { DeleteItemCommand, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MappingOptions } from '../../src/local/mapping/options.ts';
import { createTable, openEngine } from './engine.ts';
import { type Answer, checkpointOf, oneToN, started } from './harness.ts';

describe('on a real stream', () => {
  let server: Awaited<ReturnType<typeof openEngine>>;
  let tables = 0;

  beforeAll(async () => {
    server = await openEngine();
  });
  afterAll(() => server?.stop());

  async function newTable() {
    const name = `orders-${++tables}`;
    const streamArn = await createTable(server.client, name);
    const put = (pk: string, n: number) => putItem(server.client, name, pk, n);
    const map = (answer: Answer, options: Partial<MappingOptions> = {}) =>
      started(server, answer, { streamArn, ...options });
    return { name, streamArn, put, map };
  }

  test('insert, change and removal arrive as Lambda delivers them', async () => {
    const { name, streamArn, map } = await newTable();
    const bytes = new Uint8Array([0, 254, 255]);
    const item = { pk: { S: 'a' }, bytes: { B: bytes }, set: { BS: [bytes] }, list: { L: [{ B: bytes }] } };
    await server.client.send(new PutItemCommand({ TableName: name, Item: item }));
    await server.client.send(
      new PutItemCommand({ TableName: name, Item: { pk: { S: 'a' }, n: { N: '2' } } }),
    );
    await server.client.send(new DeleteItemCommand({ TableName: name, Key: { pk: { S: 'a' } } }));
    const records: DynamoDBRecord[] = [];
    const mapping = map((event) => void records.push(...event.Records));
    await mapping.drained();

    const encoded = Buffer.from(bytes).toString('base64');
    const before = {
      pk: { S: 'a' },
      bytes: { B: encoded },
      set: { BS: [encoded] },
      list: { L: [{ B: encoded }] },
    };
    const after = { pk: { S: 'a' }, n: { N: '2' } };
    const common = { eventVersion: '1.1', eventSource: 'aws:dynamodb', awsRegion: 'eu-west-1' };
    expect(records).toMatchObject([
      { ...common, eventName: 'INSERT', eventSourceARN: streamArn, dynamodb: { NewImage: before } },
      { ...common, eventName: 'MODIFY', dynamodb: { OldImage: before, NewImage: after } },
      { ...common, eventName: 'REMOVE', dynamodb: { OldImage: after, Keys: { pk: { S: 'a' } } } },
    ]);
    const created = records[0]?.dynamodb?.ApproximateCreationDateTime ?? 0;
    expect(Number.isInteger(created)).toBe(true);
    expect(Math.abs(created - Date.now() / 1000)).toBeLessThan(60);
  });

  test('writes from many sides arrive all, and in order for each item, through all failures', async () => {
    const { put, map } = await newTable();
    const seen: ReturnType<typeof itemOf>[] = [];
    const mapping = map((event, call) => {
      const done = call % 3 === 0 ? middleOf(event) : event.Records.length;
      if (call % 5 === 0) throw new Error('now and then');
      seen.push(...event.Records.slice(0, done).map(itemOf));
      const failed = event.Records[done]?.dynamodb?.SequenceNumber;
      return { batchItemFailures: failed ? [{ itemIdentifier: failed }] : [] };
    });
    const items = oneToN(8);
    await Promise.all(items.map((pk) => inOrder(40, (n) => put(pk, n))));
    await mapping.drained();
    for (const pk of items) {
      const versions = seen.filter((item) => item.pk === pk).map(({ n }) => String(n));
      expect(versions).toEqual(oneToN(40));
    }
    // What is equal in length is in order as a text too.
    const last = seen
      .map(({ number }) => number.padStart(40, '0'))
      .sort()
      .at(-1);
    expect(checkpointOf(mapping.checkpoints)?.padStart(40, '0')).toBe(last);
  });

  test('drained always comes after what was written before it', async () => {
    const { put, map } = await newTable();
    const seen = new Map<number, string>();
    const mapping = map((event) => {
      for (const { n, number } of event.Records.map(itemOf)) seen.set(n, number);
    });
    for (let n = 1; n <= 60; n++) {
      await put('a', n);
      await mapping.drained();
      expect(seen.size).toBe(n);
      expect(checkpointOf(mapping.checkpoints)).toBe(seen.get(n));
    }
  });
});

async function putItem(client: DynamoDBClient, table: string, pk: string, n: number) {
  await client.send(new PutItemCommand({ TableName: table, Item: { pk: { S: pk }, n: { N: String(n) } } }));
}

async function inOrder(count: number, write: (n: number) => Promise<void>) {
  for (let n = 1; n <= count; n++) await write(n);
}

function itemOf(record: DynamoDBRecord) {
  const image = record.dynamodb?.NewImage;
  return { pk: image?.pk?.S ?? '', n: Number(image?.n?.N), number: record.dynamodb?.SequenceNumber ?? '' };
}

function middleOf(event: DynamoDBStreamEvent): number {
  return Math.floor(event.Records.length / 2);
}
