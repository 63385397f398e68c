/**
 * Reads that must come back empty, one after the other, before a shard counts as read to its head: an empty page
 * alone is not the end (GetRecords in the API reference). AWS gives no proof of the head at all; the local servers
 * give an empty page only there, and this leaves room for one that does not.
 */
const emptyReadsAtHead = 3;

type Waiter = { since: number; resolve: () => void; reject: (error: Error) => void };

export type Drains = ReturnType<typeof drainWatch>;

/** Knows when everything that was in the stream at some moment is done. `onWaiting` is told when somebody asks. */
export function drainWatch(onWaiting: () => void) {
  let moments = 0;
  let listing = { began: 0, unfinished: new Set<string>() };
  let lastEnd = 0;
  let closed: Error | undefined;
  const emptyReads = new Map<string, number[]>();
  const waiters = new Set<Waiter>();

  function isAtHead(shardId: string, since: number): boolean {
    const [oldest, ...others] = emptyReads.get(shardId) ?? [];
    return oldest !== undefined && oldest > since && others.length === emptyReadsAtHead - 1;
  }

  /** The listing must be younger than the last shard's end, which may have brought forth children. */
  function isDrained(since: number): boolean {
    if (listing.began <= Math.max(since, lastEnd)) return false;
    return [...listing.unfinished].every((shardId) => isAtHead(shardId, since));
  }

  function settle() {
    for (const waiter of waiters) {
      if (!isDrained(waiter.since)) continue;
      waiters.delete(waiter);
      waiter.resolve();
    }
  }

  return {
    /** Moments only order: what began at a later one began after. */
    moment: () => ++moments,
    listed(began: number, unfinished: string[]) {
      listing = { began, unfinished: new Set(unfinished) };
      settle();
    },
    foundSome(shardId: string) {
      emptyReads.delete(shardId);
    },
    foundNone(shardId: string, began: number) {
      emptyReads.set(shardId, [...(emptyReads.get(shardId) ?? []), began].slice(-emptyReadsAtHead));
      settle();
    },
    ended(shardId: string) {
      lastEnd = ++moments;
      listing.unfinished.delete(shardId);
    },
    isAwaited: (shardId: string) => [...waiters].some(({ since }) => !isAtHead(shardId, since)),
    drained(): Promise<void> {
      if (closed) return Promise.reject(closed);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiters.add({ since: ++moments, resolve, reject });
      onWaiting();
      return promise;
    },
    close(error: Error) {
      closed = error;
      for (const waiter of waiters) waiter.reject(error);
      waiters.clear();
    },
  };
}
