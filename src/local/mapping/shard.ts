import { deliver, saveProgress } from './delivery.ts';
import { insist } from './insist.ts';
import { type BatchQueue, batchQueue } from './queue.ts';
import { type Page, shardReader } from './reader.ts';
import type { Run } from './run.ts';

/** Follows one shard to its end, or until the mapping stops. True at its end. */
export async function followShard(run: Run, shardId: string, isListed: () => boolean): Promise<boolean> {
  try {
    await untilEnd(run, shardId, isListed);
    await insist('saving the checkpoint', () => run.checkpoints.end(shardId), run);
    return true;
  } catch (error) {
    if (!run.signal.aborted) throw error;
    return false;
  }
}

async function untilEnd(run: Run, shardId: string, isListed: () => boolean) {
  const read = shardReader(run, shardId, isListed);
  const queue = batchQueue(run);
  let ended = false;
  while (!ended || !queue.isEmpty()) {
    run.signal.throwIfAborted();
    const batch = queue.take(run.clock.now(), ended);
    if (batch.length > 0) {
      await deliver(run, shardId, batch);
      continue;
    }
    const began = run.drains.moment();
    const page = await insist(`reading shard ${shardId}`, read, run);
    ended = page?.ended ?? false;
    await accept(run, shardId, queue, page?.found ?? []);
    if (!ended) await linger(run, shardId, queue, page, began);
  }
}

async function accept(run: Run, shardId: string, queue: BatchQueue, found: Page['found']) {
  let passed: string | undefined;
  for (const { entry, wanted } of found) {
    if (wanted) queue.add(entry, run.clock.now());
    else if (!queue.pass(entry.sequenceNumber)) passed = entry.sequenceNumber;
  }
  if (passed) await saveProgress(run, shardId, passed);
}

/** Waits before the next read, unless there may be more at once or somebody waits for this shard's head. */
async function linger(run: Run, shardId: string, queue: BatchQueue, page: Page | undefined, began: number) {
  if (page && page.found.length > 0) return run.drains.foundSome(shardId);
  if (page && queue.isEmpty()) {
    run.drains.foundNone(shardId, began);
    if (run.drains.isAwaited(shardId)) return;
  }
  const patience = queue.patience(run.clock.now());
  await run.clock.sleep(Math.min(run.pollMilliseconds, patience), run.signal);
}
