/**
 * Sends one write until DynamoDB has decided. The SDK repeats throttled and lost requests by itself; what it does
 * not repeat is a conflict with another transaction, which is nobody's fault and passes.
 */
import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import { WriteError } from '../errors.ts';

const conflicts = retry(
  handleWhen((error) => error instanceof Error && isConflict(error)),
  {
    maxAttempts: 12,
    backoff: new ExponentialBackoff({ initialDelay: 20, maxDelay: 1_000 }),
  },
);

/** Errors that DynamoDB answers before it does anything: the write is known not to have been applied. */
const refusals = new Set([
  'ValidationException',
  'AccessDeniedException',
  'UnrecognizedClientException',
  'ResourceNotFoundException',
  'IdempotentParameterMismatchException',
  'ItemCollectionSizeLimitExceededException',
  'RequestLimitExceeded',
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
]);
const throttles = new Set([
  'RequestLimitExceeded',
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
]);

/** Runs the write. A failed condition is thrown as it is, for the caller to explain; the rest as a `WriteError`. */
export async function attempt<Reply>(what: string, send: () => Promise<Reply>): Promise<Reply> {
  try {
    return await conflicts.execute(send);
  } catch (error) {
    if (isConditionFailure(error)) throw error;
    throw explain(what, error);
  }
}

/** Whether an earlier attempt of the SDK may have been applied though its reply was lost. */
export function wasRepeated(error: ConditionalCheckFailedException): boolean {
  return (error.$metadata.attempts ?? 1) > 1;
}

function isConditionFailure(error: unknown): boolean {
  return (
    error instanceof ConditionalCheckFailedException ||
    (error instanceof TransactionCanceledException && !isConflict(error) && conditionFailed(error))
  );
}

function conditionFailed(error: TransactionCanceledException): boolean {
  return reasonCodes(error).includes('ConditionalCheckFailed');
}

function isConflict(error: Error): boolean {
  if (error.name === 'TransactionConflictException' || error.name === 'TransactionInProgressException')
    return true;
  if (!(error instanceof TransactionCanceledException)) return false;
  const codes = reasonCodes(error);
  // A failed condition decides, whatever else was in the way.
  if (codes.includes('ConditionalCheckFailed') || codes.includes('ValidationError')) return false;
  return codes.some((code) =>
    ['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'].includes(code),
  );
}

function reasonCodes(error: TransactionCanceledException): string[] {
  return (error.CancellationReasons ?? []).map(({ Code }) => Code ?? 'None');
}

function explain(what: string, error: unknown): WriteError {
  const cause = error instanceof Error ? error : new Error(String(error));
  if (isConflict(cause) || throttles.has(cause.name)) {
    return new WriteError(
      'Busy',
      `${what}: the table was too busy (${cause.name}); nothing was written. Try again.`,
      { cause },
    );
  }
  if (refusals.has(cause.name) || cause instanceof TransactionCanceledException) {
    return new WriteError('Invalid', `${what}: DynamoDB refused it: ${cause.name}: ${cause.message}`, {
      cause,
    });
  }
  return new WriteError(
    'Unknown',
    `${what}: no reply (${cause.name}: ${cause.message}); it may have been applied. Send the same request again.`,
    { cause },
  );
}
