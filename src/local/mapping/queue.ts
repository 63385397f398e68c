import type { Entry } from './record.ts';

type Limits = { batchSize: number; batchWindowSeconds: number };

/** The payload limit of a synchronous invocation: 6 MB, in the error it gives 6291456 bytes. */
const mostBytes = 6 * 1024 * 1024;
const envelopeBytes = '{"Records":[]}'.length;

export type BatchQueue = ReturnType<typeof batchQueue>;

/** Records that were read and not yet sent: gives them out batch by batch, when one is due. */
export function batchQueue(limits: Limits) {
  const windowMilliseconds = limits.batchWindowSeconds * 1000;
  let waiting: { entry: Entry; since: number }[] = [];

  /** How long the batch may still wait for more. */
  function patience(now: number): number {
    const first = waiting[0];
    return first ? Math.max(0, first.since + windowMilliseconds - now) : Number.POSITIVE_INFINITY;
  }

  return {
    patience,
    isEmpty: () => waiting.length === 0,
    add(entry: Entry, now: number) {
      waiting.push({ entry, since: now });
    },
    /** A filtered record: whoever waits before it carries the checkpoint past it. False if nobody does. */
    pass(sequenceNumber: string): boolean {
      const last = waiting.at(-1);
      if (last) last.entry.through = sequenceNumber;
      return last !== undefined;
    },
    take(now: number, noMoreWillCome: boolean): Entry[] {
      const count = fitting(waiting, limits.batchSize);
      const full = count === limits.batchSize || count < waiting.length;
      if (!full && !noMoreWillCome && patience(now) > 0) return [];
      const batch = waiting.slice(0, count).map(({ entry }) => entry);
      waiting = waiting.slice(count);
      return batch;
    },
  };
}

function fitting(waiting: { entry: Entry }[], batchSize: number): number {
  let bytes = envelopeBytes;
  let count = 0;
  for (const { entry } of waiting) {
    bytes += entry.bytes + 1; // its comma
    if (count === batchSize || (count > 0 && bytes > mostBytes)) break;
    count++;
  }
  return count;
}
