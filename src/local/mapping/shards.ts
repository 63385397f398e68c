import { DescribeStreamCommand, type Shard } from '@aws-sdk/client-dynamodb-streams';
import { insist } from './insist.ts';
import type { Run } from './run.ts';
import { followShard } from './shard.ts';

/** New shards come when old ones end, and that wakes the listing; this is for what comes unannounced. */
const listingMilliseconds = 1_000;

type Alarm = { ring(): void; sleep(milliseconds: number): Promise<void> };

/** Follows every shard of the stream: parents before their children, the others side by side. */
export async function followStream(run: Run, alarm: Alarm): Promise<void> {
  const following = new Map<string, Promise<void>>();
  let listed = new Set<string>();

  async function follow(shardId: string) {
    const ended = await followShard(run, shardId, () => listed.has(shardId));
    following.delete(shardId);
    if (ended) run.drains.ended(shardId);
    alarm.ring();
  }

  /** A parent that has ended, or that the stream has forgotten, holds nobody back. */
  function isReady({ id, parent }: Listed): boolean {
    if (following.has(id)) return false;
    if (parent === undefined || run.checkpoints.isEnded(parent)) return true;
    return !listed.has(parent) && !following.has(parent);
  }

  while (!run.signal.aborted) {
    const began = run.drains.moment();
    const shards = await listShards(run);
    if (!shards) break;
    listed = new Set(shards.map(({ id }) => id));
    const unfinished = shards.filter(({ id }) => !run.checkpoints.isEnded(id));
    for (const shard of unfinished.filter(isReady)) following.set(shard.id, follow(shard.id));
    run.drains.listed(
      began,
      unfinished.map(({ id }) => id),
    );
    await alarm.sleep(listingMilliseconds);
  }
  await Promise.all(following.values());
}

type Listed = { id: string; parent: string | undefined };

/** Undefined once the mapping stops. */
async function listShards(run: Run): Promise<Listed[] | undefined> {
  try {
    return await insist('listing the shards', () => allPages(run), run);
  } catch (error) {
    if (!run.signal.aborted) throw error;
    return undefined;
  }
}

async function allPages(run: Run): Promise<Listed[]> {
  const shards: Shard[] = [];
  let after: { ExclusiveStartShardId?: string } = {};
  do {
    const command = new DescribeStreamCommand({ StreamArn: run.streamArn, ...after });
    const { StreamDescription: page } = await run.streams.send(command, { abortSignal: run.signal });
    // dynoxide takes the ARN of a table's former stream, and answers with the stream it has now.
    if (page?.StreamArn !== run.streamArn) {
      throw new Error(`${run.streamArn} is gone; there is ${page?.StreamArn}`);
    }
    shards.push(...(page.Shards ?? []));
    after = page.LastEvaluatedShardId ? { ExclusiveStartShardId: page.LastEvaluatedShardId } : {};
  } while (after.ExclusiveStartShardId);
  return shards.flatMap(({ ShardId, ParentShardId }) =>
    ShardId ? [{ id: ShardId, parent: ParentShardId }] : [],
  );
}
