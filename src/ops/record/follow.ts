/** Follows every shard of a stream and keeps what they show: each in its order, parents before their children. */
import { setTimeout as wait } from 'node:timers/promises';
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
  /** Reads one page of each shard that is due. */
  read(): Promise<Round>;
  /** How many came so far. */
  size(): number;
  /** All that came: those of a shard in its order, across shards by their time. */
  records(): _Record[];
};

/** `quiet`: nothing came, and nothing happened that could have hidden what is there. */
type Round = { found: number; quiet: boolean };

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

  /** Gives how many were not known before. */
  async function list(from: Followed['from']): Promise<number> {
    listed = Date.now();
    const known = shards.size;
    const found = await allShards(options);
    for (const { ShardId: id, ParentShardId: parent } of found) {
      if (id === undefined || shards.has(id)) continue;
      // What has children has ended: nothing new comes there.
      const ended = from === 'LATEST' && found.some(({ ParentShardId }) => ParentShardId === id);
      shards.set(id, { id, parent, from, ended, records: [] });
    }
    return shards.size - known;
  }

  const isReady = ({ ended, parent }: Followed) =>
    !ended && (parent === undefined || shards.get(parent)?.ended !== false);

  async function read(): Promise<Round> {
    const open = [...shards.values()].filter(isReady);
    const pages = await Promise.all(open.map((shard) => readPage(shard, options)));
    const ended = open.some((shard) => shard.ended);
    const isDue = ended || Date.now() - listed > listingMilliseconds;
    // A shard that comes later began after this one had ended, or after we had begun: it is read whole.
    const added = isDue ? await list('TRIM_HORIZON') : 0;
    // One that waits for its parent may hold something already.
    const waiting = [...shards.values()].some((shard) => !shard.ended && !isReady(shard));
    return {
      found: pages.reduce((sum, { found }) => sum + found, 0),
      quiet:
        !ended && added === 0 && !waiting && pages.every(({ found, renewed }) => found === 0 && !renewed),
    };
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

/**
 * Reads on until all that was written before has come. An empty page alone does not say so: a shard may just have
 * ended, and its children hold the rest. Gives false where the time was up first, as on a stream that never rests.
 */
export async function readToEnd(
  follower: Pick<Follower, 'read'>,
  { milliseconds, pause, isFull }: { milliseconds: number; pause: number; isFull(): boolean },
): Promise<boolean> {
  const end = Date.now() + milliseconds;
  while (!isFull()) {
    const { found, quiet } = await follower.read();
    if (quiet) return true;
    if (Date.now() >= end) return isFull();
    if (found === 0) await wait(pause);
  }
  return true;
}

type Page = { found: number /** The place to read from is asked for anew. */; renewed: boolean };

async function readPage(shard: Followed, { streams, streamArn, warn }: Options): Promise<Page> {
  try {
    shard.iterator ??= await iteratorOf(shard, streams, streamArn);
    const page = await streams.send(new GetRecordsCommand({ ShardIterator: shard.iterator }));
    const found = page.Records ?? [];
    for (const record of found) shard.records.push(record);
    shard.last = found.at(-1)?.dynamodb?.SequenceNumber ?? shard.last;
    shard.iterator = page.NextShardIterator;
    // Only a missing next iterator closes a shard: dynoxide gives open shards an EndingSequenceNumber.
    shard.ended = shard.iterator === undefined;
    return { found: found.length, renewed: false };
  } catch (error) {
    shard.iterator = undefined;
    const trimmed = error instanceof TrimmedDataAccessException;
    if (!trimmed && !(error instanceof ExpiredIteratorException)) throw error;
    if (trimmed || shard.last === undefined)
      warn(`Records of shard ${shard.id} may be missing: it was not read for too long.`);
    if (trimmed) Object.assign(shard, { from: 'TRIM_HORIZON', last: undefined });
    return { found: 0, renewed: true };
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
