/**
 * How long everything is kept, in days, in one place. Whatever tells a repeat from something new must outlive the
 * longest replay: else a record from long ago would look like a new one.
 */

/** The oldest record that can ever come again: a failed batch in the on-failure destination, taken up at last. */
export const longestReplayDays = 30;

export const retentionDays = {
  /** DynamoDB Streams keeps a record for a day; nothing else is as short (Working with streams, data retention). */
  stream: 1,
  /** Failed batches: they are the longest replay. */
  failedBatches: longestReplayDays,
  /** Versions grow over removal and re-creation only while the tombstone lies there. */
  tombstones: 35,
  /** Settled outbox rows: a repeat of the change finds its row and mails nobody again. */
  outboxRows: 40,
  /** Marks of removed documents: a late write must meet one, or it would bring the document back. */
  deletedMarks: 40,
} as const;

// Parked deliveries, audit rows and outbox rows that are not settled have no end: a person decides.

export const daySeconds = 86_400;
