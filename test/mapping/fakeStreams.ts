import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';

export const streamArn =
  'arn:aws:dynamodb:eu-west-1:000000000000:table/orders/stream/2026-11-20T00:00:00.000';

export type Operation = 'DescribeStream' | 'GetShardIterator' | 'GetRecords';
type Input = Record<string, unknown>;
type Reply = { status: number; body: unknown };
type Rule = (input: Input) => Reply | undefined | Promise<Reply | undefined>;
type FakeShard = { id: string; parent: string | undefined; closed: boolean; records: Input[] };
type Request = { operation: Operation; input: Input };

/** A stream under the test's control, speaking the real protocol, so that the real client is used. */
export async function fakeStreams({ port = 0, shardsPerPage = 100, recordsPerPage = 1000 } = {}) {
  const shards = new Map<string, FakeShard>();
  let arn = streamArn;
  const requests: Request[] = [];
  const rules = new Map<Operation, Rule[]>();
  const listeners = new Set<() => void>();

  function shardAt(id: unknown): FakeShard | undefined {
    return shards.get(String(id));
  }

  const operations: Record<Operation, (input: Input) => Reply> = {
    DescribeStream({ ExclusiveStartShardId: after }) {
      const all = [...shards.values()];
      const start = after ? all.findIndex(({ id }) => id === after) + 1 : 0;
      const page = all.slice(start, start + shardsPerPage);
      const more = start + shardsPerPage < all.length && { LastEvaluatedShardId: page.at(-1)?.id };
      return ok({ StreamDescription: { StreamArn: arn, Shards: page.map(described), ...more } });
    },
    GetShardIterator({ ShardId, ShardIteratorType, SequenceNumber }) {
      const shard = shardAt(ShardId);
      if (!shard) return fault('ResourceNotFoundException');
      if (ShardIteratorType === 'TRIM_HORIZON') return ok({ ShardIterator: `${shard.id}|0` });
      if (ShardIteratorType !== 'AFTER_SEQUENCE_NUMBER') return fault('ValidationException');
      const after = BigInt(String(SequenceNumber));
      const position = shard.records.filter((record) => BigInt(sequenceNumberOf(record)) <= after).length;
      return ok({ ShardIterator: `${shard.id}|${position}` });
    },
    GetRecords({ ShardIterator }) {
      const [id, position] = String(ShardIterator).split('|');
      const shard = shardAt(id);
      if (!shard) return fault('ResourceNotFoundException');
      const end = Number(position) + recordsPerPage;
      const page = shard.records.slice(Number(position), end);
      const isEnd = shard.closed && end >= shard.records.length;
      const next = { NextShardIterator: `${id}|${Number(position) + page.length}` };
      return ok({ Records: page, ...(isEnd ? {} : next) });
    },
  };

  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const operation = String(request.headers['x-amz-target']).split('.')[1] as Operation;
    const input = JSON.parse(text);
    requests.push({ operation, input });
    for (const listener of listeners) listener();
    const rule = rules.get(operation)?.shift();
    const { status, body } = (await rule?.(input)) ?? operations[operation](input);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;

  return {
    port: address.port,
    requests,
    requestsOf: (operation: Operation) => requests.filter((request) => request.operation === operation),
    shard(id: string, { parent, closed = false }: { parent?: string; closed?: boolean } = {}) {
      shards.set(id, { id, parent, closed, records: [] });
    },
    put(id: string, ...records: Input[]) {
      shardAt(id)?.records.push(...records);
    },
    trim(id: string, count: number) {
      shardAt(id)?.records.splice(0, count);
    },
    close(id: string) {
      const shard = shardAt(id);
      if (shard) shard.closed = true;
    },
    /** The table is made anew; as on dynoxide, its former ARN is answered all the same. */
    recreate(newArn: string) {
      arn = newArn;
    },
    forget: (id: string) => shards.delete(id),
    /** The next request of this kind is answered by the rule; one that returns undefined leaves it to the fake. */
    next(operation: Operation, ...added: Rule[]) {
      rules.set(operation, [...(rules.get(operation) ?? []), ...added]);
    },
    /** Resolves at the count-th request of this kind from now on. */
    async seen(operation: Operation, count = 1) {
      const target = requests.filter((request) => request.operation === operation).length + count;
      const { promise, resolve } = Promise.withResolvers<void>();
      const listener = () => {
        if (requests.filter((request) => request.operation === operation).length >= target) resolve();
      };
      listeners.add(listener);
      await promise;
      listeners.delete(listener);
    },
    async shut() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type FakeStreams = Awaited<ReturnType<typeof fakeStreams>>;

export function streamsClient(port: number) {
  return new DynamoDBStreamsClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
}

/** A record of the stream's protocol: item `pk`, with a sequence number. */
export function streamRecord(sequenceNumber: string, pk = 'a', image: Input = {}): Input {
  return {
    eventID: `event-${sequenceNumber}`,
    eventName: 'INSERT',
    eventVersion: '1.0',
    eventSource: 'elsewhere',
    awsRegion: 'ddblocal',
    dynamodb: {
      ApproximateCreationDateTime: 1_763_600_000.75,
      Keys: { pk: { S: pk } },
      NewImage: { pk: { S: pk }, ...image },
      SequenceNumber: sequenceNumber,
      SizeBytes: 20,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
  };
}

export function ok(body: unknown): Reply {
  return { status: 200, body };
}

export function fault(name: string, status = 400): Reply {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: name } };
}

function described({ id, parent }: FakeShard) {
  // Every shard has an ending sequence number, as dynoxide's have: nobody may take it for closed.
  const range = { StartingSequenceNumber: '1', EndingSequenceNumber: '1' };
  return { ShardId: id, ParentShardId: parent, SequenceNumberRange: range };
}

function sequenceNumberOf(record: Input): string {
  return (record as { dynamodb: { SequenceNumber: string } }).dynamodb.SequenceNumber;
}
