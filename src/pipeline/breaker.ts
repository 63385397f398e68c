/**
 * Between a sink and its service: a time limit for each call, and a breaker. A service that has failed several times
 * in a row is left alone for a while, and what is meant for it is parked at once.
 */
import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import type { Answer } from './sink.ts';

/** Calls in a row that must fail as a whole before the breaker opens. */
const failuresToOpen = 3;

/** How long it stays open before one call may try again, milliseconds. */
const openMilliseconds = 5_000;

/** How long a call may take to settle once it was told to stop, milliseconds. */
const graceMilliseconds = 1_000;

export type Guard = {
  /** Makes the call for so many requests, unless the breaker is open; never throws. */
  call(
    count: number,
    send: (signal: AbortSignal) => Promise<Answer[]>,
    signal: AbortSignal,
    isRetry: boolean,
  ): Promise<Answer[]>;
  /** Whether calls are refused without being made. */
  isOpen(): boolean;
};

/** One for each sink of a process. */
export function openGuard(): Guard {
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: openMilliseconds,
    breaker: new ConsecutiveBreaker(failuresToOpen),
  });
  return {
    async call(count, send, signal, isRetry) {
      const failed = (reason: string) => Array.from({ length: count }, () => serviceFailure(reason));
      // Time that other calls took up says nothing about the service.
      if (signal.aborted) return failed('there was no time left for it');
      try {
        return await breaker.execute(() => attempt(send, signal, isRetry));
      } catch (error) {
        if (error instanceof ServiceFailure) return error.answers;
        return failed(error instanceof BrokenCircuitError ? 'the breaker is open' : reasonOf(error, signal));
      }
    },
    isOpen: () => breaker.state === CircuitState.Open,
  };
}

/** Each answer said that the service failed: to the breaker that is one failed call. */
class ServiceFailure extends Error {
  readonly answers: Answer[];
  constructor(answers: Answer[]) {
    super('the service failed');
    this.answers = answers;
  }
}

async function attempt(
  send: (signal: AbortSignal) => Promise<Answer[]>,
  signal: AbortSignal,
  isRetry: boolean,
): Promise<Answer[]> {
  const answers = await settled(send(signal), signal);
  // One request that keeps being answered badly is no sick service.
  if (isRetry) return answers;
  const failed = answers.filter((answer) => answer.state === 'failed' && answer.service);
  if (answers.length > 0 && failed.length === answers.length) throw new ServiceFailure(answers);
  return answers;
}

/** Waits for the call, and when it was told to stop, a little longer for it to do so. */
async function settled(call: Promise<Answer[]>, signal: AbortSignal): Promise<Answer[]> {
  const overdue = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    timer = setTimeout(() => overdue.reject(signal.reason), graceMilliseconds);
  };
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([call, overdue.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(timer);
    call.catch(() => {}); // nobody waits for it any more
  }
}

function serviceFailure(reason: string): Answer {
  return { state: 'failed', reason, retryable: true, service: true };
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'its time was up; whether it was applied is not known';
  if (!(error instanceof Error)) return String(error);
  const { statusCode, $metadata } = error as { statusCode?: number; $metadata?: { httpStatusCode?: number } };
  const status = statusCode ?? $metadata?.httpStatusCode;
  return `${error.name}: ${error.message}${status === undefined ? '' : ` (status ${status})`}`;
}
