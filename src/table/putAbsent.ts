/**
 * Rows put once: 25 conditional puts in one transaction. A row that is there already is told apart by its hash:
 * the same is a repeat, another is an alarm, and neither stops its neighbours.
 */

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  type AttributeValue,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { encodeItem } from './attributes.ts';
import type { Fields } from './entity.ts';

/** A row's keys are `pk` and `sk`; its `hash` says whether another row of that key is the same. */
export type Row = Fields & { pk: string; sk: string; hash: string };

export type RowAnswer =
  | { state: 'applied' | 'repeated' }
  | { state: 'failed'; reason: string; retryable: boolean; service?: true };

/** One answer per row, in order. Never more than 25 rows: no two with one key. */
export async function putAbsent(
  dynamodb: DynamoDBClient,
  tableName: string,
  rows: readonly Row[],
  signal?: AbortSignal,
): Promise<RowAnswer[]> {
  const answers = new Map<Row, RowAnswer>();
  let open = [...rows];
  while (open.length > 0) {
    const settled = await putOnce(dynamodb, tableName, open, signal);
    for (const [row, answer] of settled) answers.set(row, answer);
    open = open.filter((row) => !answers.has(row));
  }
  return rows.map((row) => answers.get(row) ?? { state: 'failed', reason: 'no answer', retryable: true });
}

/** Settles at least one row: all where the transaction went through, else those that stood in its way. */
async function putOnce(
  dynamodb: DynamoDBClient,
  tableName: string,
  rows: Row[],
  signal: AbortSignal | undefined,
): Promise<Map<Row, RowAnswer>> {
  try {
    await dynamodb.send(
      new TransactWriteItemsCommand({ TransactItems: rows.map((row) => putOf(tableName, row)) }),
      signal && { abortSignal: signal },
    );
    return new Map(rows.map((row) => [row, { state: 'applied' }]));
  } catch (error) {
    // One row that DynamoDB cannot take refuses the whole transaction: the halves are tried, until it stands alone.
    if (rows.length > 1 && (error as Error).name === 'ValidationException') {
      const half = Math.ceil(rows.length / 2);
      const first = await putOnce(dynamodb, tableName, rows.slice(0, half), signal);
      return new Map([...first, ...(await putOnce(dynamodb, tableName, rows.slice(half), signal))]);
    }
    if (!(error instanceof TransactionCanceledException)) return allFailed(rows, error);
    const reasons = error.CancellationReasons ?? [];
    const settled = new Map<Row, RowAnswer>();
    rows.forEach((row, index) => {
      const { Code = 'None', Item, Message } = reasons[index] ?? {};
      if (Code === 'ConditionalCheckFailed') settled.set(row, compare(row, Item));
      else if (Code !== 'None')
        settled.set(row, {
          state: 'failed',
          reason: `${Code}: ${Message}`,
          retryable: Code !== 'ValidationError',
          ...(throttles.has(Code) && { service: true }),
        });
    });
    return settled.size > 0 ? settled : allFailed(rows, error);
  }
}

/** Refusals of a row that are of the table, not of the row (TransactWriteItems, cancellation reasons). */
const throttles = new Set(['ThrottlingError', 'ProvisionedThroughputExceeded', 'RequestLimitExceeded']);

function putOf(tableName: string, row: Row) {
  return {
    Put: {
      TableName: tableName,
      Item: encodeItem(row),
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    },
  };
}

/** What lies there is the same row, or another. */
export function compare(row: Row, found: Record<string, AttributeValue> | undefined): RowAnswer {
  if (found?.hash?.S === row.hash) return { state: 'repeated' };
  return {
    state: 'failed',
    retryable: false,
    reason: `ALARM: another row lies at ${row.pk} ${row.sk} with other content`,
  };
}

function allFailed(rows: Row[], error: unknown): Map<Row, RowAnswer> {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const reason = `${name}: ${message}`;
  // Missing rights or a missing table are mended one day: only what DynamoDB cannot take is refused for good.
  const answer: RowAnswer =
    name === 'ValidationException'
      ? { state: 'failed', reason, retryable: false }
      : { state: 'failed', reason, retryable: true, service: true };
  return new Map(rows.map((row) => [row, answer]));
}
