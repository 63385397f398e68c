import {
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ResourceNotFoundException,
  TrimmedDataAccessException,
} from '@aws-sdk/client-dynamodb-streams';
import { type Entry, entryOf, lambdaRecord } from './record.ts';
import type { Run } from './run.ts';

export type Page = { found: { entry: Entry; wanted: boolean }[]; ended: boolean };

/** Reads one shard, page by page, from where its checkpoint stands. `isListed`: the stream still names it. */
export function shardReader(run: Run, shardId: string, isListed: () => boolean) {
  let last = run.checkpoints.after(shardId);
  let iterator: string | undefined;

  async function renewed(): Promise<string> {
    const from = last
      ? ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: last } as const)
      : ({ ShardIteratorType: 'TRIM_HORIZON' } as const);
    const command = new GetShardIteratorCommand({ StreamArn: run.streamArn, ShardId: shardId, ...from });
    const { ShardIterator } = await run.streams.send(command, { abortSignal: run.signal });
    if (!ShardIterator) throw new Error('GetShardIterator gave no iterator');
    return ShardIterator;
  }

  async function nextPage(): Promise<Page> {
    iterator ??= await renewed();
    const command = new GetRecordsCommand({ ShardIterator: iterator });
    const page = await run.streams.send(command, { abortSignal: run.signal });
    const found = (page.Records ?? []).map((read) => {
      const record = lambdaRecord(read, run);
      return { entry: entryOf(record), wanted: run.filter(record) };
    });
    last = found.at(-1)?.entry.sequenceNumber ?? last;
    iterator = page.NextShardIterator;
    // Only a missing next iterator closes a shard: dynoxide gives open shards an EndingSequenceNumber.
    return { found, ended: iterator === undefined };
  }

  /** Undefined: nothing was read, and the next call reads on. */
  async function read(): Promise<Page | undefined> {
    try {
      return await nextPage();
    } catch (error) {
      iterator = undefined;
      if (error instanceof ExpiredIteratorException) return undefined;
      if (error instanceof TrimmedDataAccessException) {
        // From the beginning nothing was passed over: what was trimmed is no longer the stream's to give.
        if (last !== undefined)
          run.warn(`data was lost: shard ${shardId} no longer holds what followed ${last}`);
        last = undefined;
        return undefined;
      }
      if (error instanceof ResourceNotFoundException && !isListed()) {
        run.warn(`data may be lost: shard ${shardId} expired, read up to ${last ?? 'nothing'}`);
        return { found: [], ended: true };
      }
      throw error;
    }
  }

  return read;
}
