/**
 * Sends one write until DynamoDB has decided. The SDK repeats throttled and lost requests by itself; what it does
 * not repeat is a conflict with another transaction, which is nobody's fault and passes.
 */
import {
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import { WriteError } from '../errors.ts';

/** Runs what may conflict with another transaction, until it does not. */
export const conflicts = retry(
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
]);
const throttles = new Set([
  'RequestLimitExceeded',
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
]);

type Middleware = <Request, Reply>(
  next: (request: Request) => Promise<Reply>,
) => (request: Request) => Promise<Reply>;

/** Any command of the SDK. */
type Command = {
  middlewareStack: { add(watch: Middleware, at: { step: 'finalizeRequest'; priority: 'low' }): void };
};

/** Runs the write. A failed condition is thrown as it is, for the caller to explain; the rest as a `WriteError`. */
export async function attempt<Reply>(
  what: string,
  command: Command,
  send: () => Promise<Reply>,
): Promise<Reply> {
  const replies = watchReplies(command);
  try {
    return await conflicts.execute(send);
  } catch (error) {
    if (!isConditionFailure(error)) throw explain(what, error, replies.lost);
    if (replies.lost) afterLostReply.add(error);
    throw error;
  }
}

const afterLostReply = new WeakSet<Error>();

/** Whether an earlier attempt may have been applied though its reply was lost. */
export function mayBeApplied(error: ConditionalCheckFailedException): boolean {
  return afterLostReply.has(error);
}

/** The SDK tells only of its last attempt; an earlier one that DynamoDB did not refuse may have been applied. */
function watchReplies({ middlewareStack }: Command): { lost: boolean } {
  const replies = { lost: false };
  const watch: Middleware = (next) => async (request) => {
    try {
      return await next(request);
    } catch (error) {
      replies.lost ||= !isRefusal(error);
      throw error;
    }
  };
  middlewareStack.add(watch, { step: 'finalizeRequest', priority: 'low' });
  return replies;
}

/** DynamoDB says that it did nothing; an error of its own (5xx) says no such thing. */
function isRefusal(error: unknown): boolean {
  return error instanceof DynamoDBServiceException && (error.$metadata.httpStatusCode ?? 500) < 500;
}

export function isConditionFailure(
  error: unknown,
): error is ConditionalCheckFailedException | TransactionCanceledException {
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
  if (codes.includes('ValidationError')) return false;
  // Another transaction on one of the items may be an equal request: a failed condition beside it decides nothing yet.
  if (codes.includes('TransactionConflict')) return true;
  if (codes.includes('ConditionalCheckFailed')) return false;
  return codes.some((code) => ['ThrottlingError', 'ProvisionedThroughputExceeded'].includes(code));
}

function reasonCodes(error: TransactionCanceledException): string[] {
  return (error.CancellationReasons ?? []).map(({ Code }) => Code ?? 'None');
}

function explain(what: string, error: unknown, lost: boolean): WriteError {
  const cause = error instanceof Error ? error : new Error(String(error));
  if (!lost && (isConflict(cause) || throttles.has(cause.name))) {
    return new WriteError(
      'Busy',
      `${what}: the table was too busy (${cause.name}); nothing was written. Try again.`,
      { cause },
    );
  }
  if (
    !lost &&
    (refusals.has(cause.name) || (cause instanceof TransactionCanceledException && !isConflict(cause)))
  ) {
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
