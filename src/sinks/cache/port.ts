/**
 * What a cache must be able to do, whichever server is behind. There are tokens, no versions: a miss takes the
 * key's current token, whoever holds the current token may fill, and an invalidation removes value and token. So a
 * reader that has read before a write can never fill after the write's invalidation.
 */
export type CachePort = {
  /** The value; or, on a miss, the token that a filler must show. */
  read(key: string): Promise<{ value: string } | { token: string }>;
  /** Fills the key if the token is still its current one. */
  fill(key: string, token: string, value: string, milliseconds: number): Promise<boolean>;
  /** Removes value and token of each key; one answer per key, in order. Rejects where the whole cache is gone. */
  invalidate(keys: readonly string[]): Promise<(true | Error)[]>;
  /** The value if there is one; takes no token. */
  peek(key: string): Promise<string | undefined>;
  close(): Promise<void>;
};

/** How long a token is good: longer than a read takes, short enough not to lie about. */
export const tokenMilliseconds = 10_000;
