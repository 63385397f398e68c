import { insist } from './insist.ts';
import { invokeOnce } from './invocation.ts';
import type { Exhausted } from './options.ts';
import type { Entry } from './record.ts';
import { afterwards, type Piece } from './retry.ts';
import type { Run } from './run.ts';

/** Brings one batch through the function: invoked, split and retried until every record of it is settled. */
export async function deliver(run: Run, shardId: string, batch: Entry[]): Promise<void> {
  const pieces: Piece[] = [{ entries: batch, attempts: 0 }];
  for (let piece = pieces.shift(); piece; piece = pieces.shift()) {
    if (piece.attempts > 0) await run.clock.sleep(run.retryDelay(piece.attempts), run.signal);
    run.signal.throwIfAborted();
    const outcome = await invokeOnce(run, piece.entries);
    const { done, again, exhausted } = afterwards(piece, outcome, run);
    await settled(run, shardId, done);
    if (exhausted) await giveUp(run, shardId, exhausted);
    pieces.unshift(...again);
  }
}

async function settled(run: Run, shardId: string, entries: Entry[]) {
  const last = entries.at(-1);
  if (last) await saveProgress(run, shardId, last.through);
}

export async function saveProgress(run: Run, shardId: string, sequenceNumber: string) {
  await insist('saving the checkpoint', () => run.checkpoints.advance(shardId, sequenceNumber), run);
}

/** Only what the destination has taken is passed: Lambda would go on without it, and lose it. */
async function giveUp(run: Run, shardId: string, { entries, attempts }: Piece) {
  const failure: Exhausted = {
    condition: 'RetryAttemptsExhausted',
    approximateInvokeCount: attempts,
    shardId,
    startSequenceNumber: entries[0]?.sequenceNumber ?? '',
    endSequenceNumber: entries.at(-1)?.sequenceNumber ?? '',
    records: entries.map(({ text }) => JSON.parse(text)),
  };
  await insist('handing over exhausted records', async () => run.onExhausted?.(failure), run);
  await settled(run, shardId, entries);
}
