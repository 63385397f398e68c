/** What every reader and writer of one table needs: its declaration, its name, a client and a clock. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Table } from './table.ts';

export type Store = {
  dynamodb: DynamoDBClient;
  table: Table;
  tableName: string;
  /** Epoch milliseconds. */
  now(): number;
};

/** Who writes and why; stamped on the item and so carried to every sink. */
export type By = {
  /** The request's id: the same for every retry of it, so that a repeat is recognised. */
  request: string;
  actor: string;
  reason?: string;
};

export function epochSeconds(store: Store): number {
  return Math.floor(store.now() / 1000);
}

/** Versions start at the microsecond, so that they grow over removal and re-creation; far below 2^53. */
export function firstVersion(store: Store, after = 0): number {
  return Math.max(store.now() * 1000, after + 1);
}
