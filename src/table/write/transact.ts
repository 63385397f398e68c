/** Several writes as one, all or none. Its token and its parameters are made once, so a repeat is the same. */
import { randomUUID } from 'node:crypto';
import {
  type AttributeValue,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { Store } from '../store.ts';
import { attempt } from './attempt.ts';

/** The first part whose condition failed, and the item that lay there. */
export type FailedPart = { index: number; found: Record<string, AttributeValue> | undefined };

export async function transact(
  store: Store,
  what: string,
  parts: TransactWriteItem[],
): Promise<FailedPart | undefined> {
  const command = new TransactWriteItemsCommand({ TransactItems: parts, ClientRequestToken: randomUUID() });
  try {
    await attempt(what, command, () => store.dynamodb.send(command));
    return undefined;
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    const reasons = error.CancellationReasons ?? [];
    const index = reasons.findIndex(({ Code }) => Code === 'ConditionalCheckFailed');
    return { index, found: reasons[index]?.Item };
  }
}
