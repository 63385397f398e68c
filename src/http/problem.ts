/** Errors as problem details (RFC 9457): what is wrong, and what to do next. */
import { WriteError, type WriteErrorName } from '../table/errors.ts';

type ProblemKind = { status: number; title: string; next: string };

export type ProblemDetails = { type: string; title: string; status: number; detail: string; next: string };

/** A request that cannot be served as it is. */
export class Problem extends Error {
  override name = 'Problem';
  readonly kind: ProblemKind;
  constructor(kind: ProblemKind, detail: string) {
    super(detail);
    this.kind = kind;
  }
}

const ofWrites: Readonly<Record<WriteErrorName, ProblemKind>> = {
  Invalid: { status: 400, title: 'Invalid', next: 'Mend the request and send it again.' },
  NotFound: { status: 404, title: 'Not found', next: 'Check the address.' },
  Removed: {
    status: 410,
    title: 'Removed',
    next: 'It was removed. What may come again is created anew; an order never is.',
  },
  AlreadyExists: { status: 409, title: 'Already exists', next: 'Read it, and update it instead.' },
  IdempotencyConflict: {
    status: 422,
    title: 'Idempotency-Key used before',
    next: 'Send another request under another Idempotency-Key.',
  },
  StaleVersion: {
    status: 412,
    title: 'Stale version',
    next: 'Read it again, and send If-Match with its new ETag.',
  },
  IllegalStep: { status: 409, title: 'Illegal step', next: 'Read it again to see which state it is in.' },
  GuardFailed: { status: 409, title: 'Not enough left', next: 'Ask for less, or try again later.' },
  Busy: {
    status: 503,
    title: 'Busy',
    next: 'Nothing was written. Send the same request again after a moment.',
  },
  Unknown: {
    status: 503,
    title: 'Outcome unknown',
    next: 'Send the same request again, with the same Idempotency-Key: it is never applied twice.',
  },
};

export const problems = {
  notFound: ofWrites.NotFound,
  removed: ofWrites.Removed,
  invalid: ofWrites.Invalid,
  preconditionRequired: {
    status: 428,
    title: 'If-Match required',
    next: 'Read it, and send If-Match with its ETag.',
  },
  keyRequired: {
    status: 400,
    title: 'Idempotency-Key required',
    next: 'Choose a key, once for each thing you want made, and send it as Idempotency-Key.',
  },
  foreignHost: { status: 403, title: 'Foreign host', next: 'Use the address that the server printed.' },
  off: { status: 501, title: 'Not switched on', next: 'Name an endpoint for it in the configuration.' },
} as const satisfies Record<string, ProblemKind>;

/** The status and body for an error. What was not foreseen is told to the log, never to the caller. */
export function describeProblem(error: unknown): ProblemDetails {
  if (error instanceof Problem) return detailsOf(error.kind, error.message);
  if (error instanceof WriteError) return detailsOf(ofWrites[error.name], error.message);
  const unforeseen = {
    status: 500,
    title: 'Internal error',
    next: 'Send the same request again, with the same Idempotency-Key.',
  };
  return detailsOf(unforeseen, 'Something failed that should not have.');
}

function detailsOf({ status, title, next }: ProblemKind, detail: string): ProblemDetails {
  const type = `urn:sluice:problem:${title.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`;
  return { type, title, status, detail, next };
}
