/** Takes changes to one sink: plan, coalesce or keep in order, chunk, send, retry what may pass, say what failed. */
import { ExponentialBackoff, handleWhenResult, retry } from 'cockatiel';
import type { Change } from '../table/change.ts';
import { chunk } from './chunk.ts';
import type { Answer, Sink } from './sink.ts';
import { whatWasThrown } from './thrown.ts';

type Failure = { change: Change; reason: string };

export type Delivered = {
  counts: { applied: number; repeated: number; superseded: number; failed: number };
  failures: Failure[];
  /** What came of each change's requests: a change that a view has coalesced shares the answer of its newest. */
  answers: { change: Change; state: Answer['state'] }[];
};

/** One request on its way, with the changes that it stands for: several where a view has coalesced them. */
type Unit = { request: unknown; target: string; bytes: number; changes: Change[]; answer: Answer };

const unanswered: Answer = { state: 'failed', reason: 'the service did not answer for it', retryable: true };
const heldBack = 'an earlier change of its item failed';

const persistently = retry(
  handleWhenResult((open) => (open as Unit[]).length > 0),
  { maxAttempts: 3, backoff: new ExponentialBackoff({ initialDelay: 50, maxDelay: 1_000 }) },
);

export async function deliver(sink: Sink, changes: readonly Change[]): Promise<Delivered> {
  const planned = planAll(sink, changes);
  const units = sink.kind === 'view' ? coalesce(sink, planned.units) : planned.units;
  const failures: Failure[] = [...planned.failures];
  for (let round = units; round.length > 0; ) {
    // Of an act's changes only the first of each item may be under way: a refused one must not be overtaken. Of a
    // log's rows a repeat waits as well: no transaction takes two of one key.
    const now = firstOfEachTarget(round);
    await sendUntilSettled(sink, now);
    const failed = new Set(now.filter(isFailed).map(({ target }) => target));
    const sent = new Set(now);
    const rest = round.filter((unit) => !sent.has(unit));
    const isBehind = ({ target }: Unit) => sink.kind === 'act' && failed.has(target);
    for (const unit of rest.filter(isBehind))
      unit.answer = { state: 'failed', reason: heldBack, retryable: true };
    round = rest.filter((unit) => !isBehind(unit));
  }
  failures.push(
    ...units
      .filter(isFailed)
      .flatMap((unit) => unit.changes.map((change) => ({ change, reason: reasonOf(unit.answer) }))),
  );
  const answers = units.flatMap(({ changes, answer }) =>
    changes.map((change) => ({ change, state: answer.state })),
  );
  return { counts: count(units, planned.failures.length), failures, answers };
}

function planAll(sink: Sink, changes: readonly Change[]): { units: Unit[]; failures: Failure[] } {
  const units: Unit[] = [];
  const failures: Failure[] = [];
  const failed = new Set<string>();
  for (const change of changes) {
    // An act's later changes of that item must not overtake it.
    if (sink.kind === 'act' && failed.has(change.item)) {
      failures.push({ change, reason: heldBack });
      continue;
    }
    try {
      units.push(...sink.plan(change).map((request) => unitOf(sink, request, change)));
    } catch (error) {
      failed.add(change.item);
      failures.push({ change, reason: `planning failed: ${whatWasThrown(error)}` });
    }
  }
  return { units, failures };
}

function unitOf(sink: Sink, request: unknown, change: Change): Unit {
  const [target, bytes] = [sink.target(request), sink.size(request)];
  return { request, target, bytes, changes: [change], answer: unanswered };
}

function coalesce(sink: Sink, units: Unit[]): Unit[] {
  const byTarget = new Map<string, Unit>();
  for (const unit of units) {
    const known = byTarget.get(unit.target);
    if (known === undefined) byTarget.set(unit.target, unit);
    else {
      known.request = sink.newer === undefined ? unit.request : sink.newer(known.request, unit.request);
      known.bytes = sink.size(known.request);
      known.changes.push(...unit.changes);
    }
  }
  return [...byTarget.values()];
}

function firstOfEachTarget(units: Unit[]): Unit[] {
  const seen = new Set<string>();
  return units.filter(({ target }) => !seen.has(target) && seen.add(target));
}

async function sendUntilSettled(sink: Sink, units: Unit[]): Promise<void> {
  let open = units;
  await persistently.execute(async () => {
    for (const part of chunk(open, sink.limits, ({ bytes }) => bytes)) await sendChunk(sink, part);
    open = open.filter(({ answer }) => answer.state === 'failed' && answer.retryable);
    return open;
  });
}

async function sendChunk(sink: Sink, units: Unit[]): Promise<void> {
  const [first] = units;
  if (first !== undefined && units.length === 1 && first.bytes > sink.limits.bytes) {
    first.answer = {
      state: 'failed',
      reason: `more than the ${sink.limits.bytes} bytes that one call may hold`,
      retryable: false,
    };
    return;
  }
  try {
    const answers = await sink.send(units.map(({ request }) => request));
    for (const [index, unit] of units.entries()) unit.answer = answers[index] ?? unanswered;
  } catch (error) {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    for (const unit of units) unit.answer = { state: 'failed', reason, retryable: true };
  }
}

function isFailed({ answer }: Unit): boolean {
  return answer.state === 'failed';
}

function reasonOf(answer: Answer): string {
  return answer.state === 'failed' ? answer.reason : '';
}

function count(units: Unit[], failed: number): Delivered['counts'] {
  const counts = { applied: 0, repeated: 0, superseded: 0, failed };
  for (const { answer } of units) counts[answer.state] += 1;
  return counts;
}
