import type { Outcome } from './answer.ts';
import type { Entry } from './record.ts';

/** Records of one batch that are invoked together, and how many of their retries are used up. */
export type Piece = { entries: Entry[]; attempts: number };

/** What is settled, what goes again (in this order), and what may not go again. */
type Verdict = { done: Entry[]; again: Piece[]; exhausted: Piece | undefined };

type Rules = { maximumRetryAttempts: number; bisectBatchOnFunctionError: boolean };

export function afterwards(piece: Piece, outcome: Outcome, rules: Rules): Verdict {
  if (outcome.result === 'succeeded') return { done: piece.entries, again: [], exhausted: undefined };
  if (outcome.result === 'failed') return halved(piece, rules) ?? { done: [], ...retried(piece, rules) };

  const at = piece.entries.findIndex((entry) => entry.sequenceNumber === outcome.from);
  const done = piece.entries.slice(0, at);
  const rest = { entries: piece.entries.slice(at), attempts: piece.attempts };
  // With both on, the batch is split at the returned sequence number instead of retried.
  if (rules.bisectBatchOnFunctionError && at > 0) return { done, again: [rest], exhausted: undefined };
  return { done, ...retried(rest, rules) };
}

/** "Splitting batches doesn't consume the retry quota." (Lambda developer guide, services-dynamodb-errors) */
function halved({ entries, attempts }: Piece, rules: Rules): Verdict | undefined {
  if (!rules.bisectBatchOnFunctionError || entries.length === 1) return undefined;
  const middle = Math.ceil(entries.length / 2);
  // AWS does not say which half runs first; only this order keeps the records in theirs.
  const halves = [entries.slice(0, middle), entries.slice(middle)];
  return { done: [], again: halves.map((half) => ({ entries: half, attempts })), exhausted: undefined };
}

function retried(piece: Piece, rules: Rules): Pick<Verdict, 'again' | 'exhausted'> {
  const tried = { entries: piece.entries, attempts: piece.attempts + 1 };
  const over = rules.maximumRetryAttempts >= 0 && tried.attempts > rules.maximumRetryAttempts;
  return over ? { again: [], exhausted: tried } : { again: [tried], exhausted: undefined };
}
