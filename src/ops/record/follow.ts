/** Follows every shard of a stream and keeps what they show: each in its order, parents before their children. */
import {
  type _Record,
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type Shard,
  TrimmedDataAccessException,
} from '@aws-sdk/client-dynamodb-streams';

export type Follower = {
  /** Reads one page of each shard; gives how many records came. */
  read(): Promise<number>;
  /** How many came so far. */
  size(): number;
  /** All that came: those of a shard in its order, across shards by their time. */
  records(): _Record[];
};

type Options = {
  streams: Pick<DynamoDBStreamsClient, 'send'>;
  streamArn: string;
  fromStart: boolean;
  warn(line: string): void;
};

type Followed = {
  id: string;
  parent: string | undefined;
  from: 'LATEST' | 'TRIM_HORIZON';
  iterator?: string | undefined;
  /** The sequence number up to which it was read. */
  last?: string | undefined;
  ended: boolean;
  records: _Record[];
};

/** New shards come when old ones end, and that is seen at once; this is for what comes unannounced. */
const listingMilliseconds = 5_000;

/** Once it is there, all that is written from then on is seen. */
export async function followStream(options: Options): Promise<Follower> {
  const shards = new Map<string, Followed>();
  let listed = 0;

  async function list(from: Followed['from']) {
    listed = Date.now();
    const found = await allShards(options);
    for (const { ShardId: id, ParentShardId: parent } of found) {
      if (id === undefined || shards.has(id)) continue;
      // What has children has ended: nothing new comes there.
      const ended = from === 'LATEST' && found.some(({ ParentShardId }) => ParentShardId === id);
      shards.set(id, { id, parent, from, ended, records: [] });
    }
  }

  const isReady = ({ ended, parent }: Followed) =>
    !ended && (parent === undefined || shards.get(parent)?.ended !== false);

  async function read() {
    const open = [...shards.values()].filter(isReady);
    const found = await Promise.all(open.map((shard) => readPage(shard, options)));
    // A shard that comes later began after this one had ended, or after we had begun: it is read whole.
    if (open.some(({ ended }) => ended) || Date.now() - listed > listingMilliseconds)
      await list('TRIM_HORIZON');
    return found.reduce((sum, count) => sum + count, 0);
  }

  await list(options.fromStart ? 'TRIM_HORIZON' : 'LATEST');
  // The first page pins the place from which each shard is followed.
  if (!options.fromStart) await read();
  return {
    read,
    size: () => [...shards.values()].reduce((sum, { records }) => sum + records.length, 0),
    records: () => merged([...shards.values()]),
  };
}

async function readPage(shard: Followed, { streams, streamArn, warn }: Options): Promise<number> {
  try {
    shard.iterator ??= await iteratorOf(shard, streams, streamArn);
    const page = await streams.send(new GetRecordsCommand({ ShardIterator: shard.iterator }));
    const found = page.Records ?? [];
    for (const record of found) shard.records.push(record);
    shard.last = found.at(-1)?.dynamodb?.SequenceNumber ?? shard.last;
    shard.iterator = page.NextShardIterator;
    // Only a missing next iterator closes a shard: dynoxide gives open shards an EndingSequenceNumber.
    shard.ended = shard.iterator === undefined;
    return found.length;
  } catch (error) {
    shard.iterator = undefined;
    const trimmed = error instanceof TrimmedDataAccessException;
    if (!trimmed && !(error instanceof ExpiredIteratorException)) throw error;
    if (trimmed || shard.last === undefined)
      warn(`Records of shard ${shard.id} may be missing: it was not read for too long.`);
    if (trimmed) Object.assign(shard, { from: 'TRIM_HORIZON', last: undefined });
    return 0;
  }
}

async function iteratorOf(
  { id, from, last }: Followed,
  streams: Options['streams'],
  StreamArn: string,
): Promise<string | undefined> {
  const place =
    last === undefined
      ? ({ ShardIteratorType: from } as const)
      : ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: last } as const);
  const command = new GetShardIteratorCommand({ StreamArn, ShardId: id, ...place });
  return (await streams.send(command)).ShardIterator;
}

async function allShards({ streams, streamArn }: Options): Promise<Shard[]> {
  const shards: Shard[] = [];
  let after: { ExclusiveStartShardId?: string } = {};
  do {
    const { StreamDescription: page } = await streams.send(
      new DescribeStreamCommand({ StreamArn: streamArn, ...after }),
    );
    shards.push(...(page?.Shards ?? []));
    after = page?.LastEvaluatedShardId ? { ExclusiveStartShardId: page.LastEvaluatedShardId } : {};
  } while (after.ExclusiveStartShardId);
  return shards;
}

/** By time, except that no record passes an earlier one of its shard or of its shard's parents. */
function merged(shards: readonly Followed[]): _Record[] {
  const ends = new Map<string, number>();
  const timed = parentsFirst(shards).flatMap(({ id, parent, records }) => {
    let time = ends.get(parent ?? '') ?? 0;
    const moments = records.map((record) => {
      time = Math.max(time, record.dynamodb?.ApproximateCreationDateTime?.getTime() ?? 0);
      return { time, record };
    });
    ends.set(id, time);
    return moments;
  });
  // A stable sort: at one time, a parent's stay before its children's.
  return timed.sort((one, other) => one.time - other.time).map(({ record }) => record);
}

function parentsFirst(shards: readonly Followed[]): Followed[] {
  const byId = new Map(shards.map((shard) => [shard.id, shard]));
  const done = new Set<Followed>();
  const visit = (shard: Followed) => {
    const parent = byId.get(shard.parent ?? '');
    if (parent !== undefined && !done.has(parent)) visit(parent);
    done.add(shard);
  };
  for (const shard of shards) if (!done.has(shard)) visit(shard);
  return [...done];
}
