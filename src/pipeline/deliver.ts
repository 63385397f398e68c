/** Takes changes to one sink: plan, coalesce or keep in order, chunk, send, retry what may pass, say what failed. */
import { ExponentialBackoff, handleWhenResult, retry } from 'cockatiel';
import type { Change } from '../table/change.ts';
import type { Guard } from './breaker.ts';
import { chunk } from './chunk.ts';
import type { Answer, Sink } from './sink.ts';
import { whatWasThrown } from './thrown.ts';

/** A change that did not arrive. `targets`: what of it did not. */
export type Failure = {
  change: Change;
  reason: string;
  /** `refused`: for good. */
  state: 'waiting' | 'refused';
  /** The service failed, not this delivery. */
  service: boolean;
  targets: string[];
};

export type Delivered = {
  counts: Record<'applied' | 'repeated' | 'superseded' | 'coalesced', number>;
  failures: Failure[];
  /** What came of each change's requests: a change that a view has coalesced shares the answer of its newest. */
  answers: { change: Change; state: Answer['state'] }[];
};

/** One request on its way, with the changes that it stands for: several where a view has coalesced them. */
type Unit = { request: unknown; target: string; bytes: number; changes: Change[]; answer: Answer };

const unanswered: Answer = { state: 'failed', reason: 'the service did not answer for it', retryable: true };
const heldBack: Answer = { state: 'failed', reason: 'an earlier change of its item waits', retryable: true };

const persistently = retry(
  handleWhenResult((open) => (open as Unit[]).length > 0),
  { maxAttempts: 3, backoff: new ExponentialBackoff({ initialDelay: 50, maxDelay: 1_000 }) },
);

/** What a sink would do for a change; `refused` where it cannot say. */
export type Plan = { change: Change; units: Unit[] } | { change: Change; refused: string };

/** Plans each change that the sink is affected by; those that plan nothing are left out. */
export function planAll(sink: Sink, changes: readonly Change[]): { plans: Plan[]; unchanged: number } {
  const affected = changes.filter((change) => !isUnaffected(sink, change));
  const plans = affected
    .map((change) => planOne(sink, change))
    .filter((plan) => 'refused' in plan || plan.units.length > 0);
  return { plans, unchanged: changes.length - affected.length };
}

/** `signal` aborts when the sink's time is up: what has no answer by then waits. */
export async function deliver(
  sink: Sink,
  plans: readonly Plan[],
  { guard, signal }: { guard: Guard; signal: AbortSignal },
): Promise<Delivered> {
  const planned = plans.flatMap((plan) => ('units' in plan ? plan.units : []));
  const units = sink.kind === 'view' ? coalesce(sink, planned) : planned;
  await sendInOrder(sink, units, guard, signal);
  return {
    counts: { ...count(units), coalesced: planned.length - units.length },
    failures: [...plans.flatMap(refusalOf), ...units.filter(isFailed).flatMap(failuresOf)],
    answers: units.flatMap(({ changes: of, answer }) =>
      of.map((change) => ({ change, state: answer.state })),
    ),
  };
}

/** Sends requests that are planned already; one answer for each, in order. */
export async function sendRequests(
  sink: Sink,
  requests: readonly unknown[],
  { guard, signal }: { guard: Guard; signal: AbortSignal },
): Promise<Answer[]> {
  const units = requests.map((request): Unit => ({ ...measured(sink, request), changes: [] }));
  await sendInOrder(sink, units, guard, signal);
  return units.map(({ answer }) => answer);
}

async function sendInOrder(sink: Sink, units: Unit[], guard: Guard, signal: AbortSignal): Promise<void> {
  for (let round = units; round.length > 0; ) {
    // Of an act's changes only the first of each item may be under way: one that waits must not be overtaken. Of a
    // log's rows a repeat waits as well: no transaction takes two of one key.
    const now = firstOfEachTarget(round);
    await sendUntilSettled(sink, now, guard, signal);
    // One that is refused for good holds nobody.
    const waiting = new Set(now.filter(isWaiting).map(({ target }) => target));
    const sent = new Set(now);
    const rest = round.filter((unit) => !sent.has(unit));
    const isBehind = ({ target }: Unit) => sink.kind === 'act' && waiting.has(target);
    for (const unit of rest.filter(isBehind)) unit.answer = heldBack;
    round = rest.filter((unit) => !isBehind(unit));
  }
}

/** What cannot be told is taken to matter. */
function isUnaffected(sink: Sink, change: Change): boolean {
  try {
    return sink.isUnaffected?.(change) === true;
  } catch {
    return false;
  }
}

function planOne(sink: Sink, change: Change): Plan {
  try {
    return {
      change,
      units: sink.plan(change).map((request) => ({ ...measured(sink, request), changes: [change] })),
    };
  } catch (error) {
    return { change, refused: `planning failed: ${whatWasThrown(error)}` };
  }
}

function refusalOf(plan: Plan): Failure[] {
  if ('units' in plan) return [];
  return [{ change: plan.change, reason: plan.refused, state: 'refused', service: false, targets: [] }];
}

function measured(sink: Sink, request: unknown) {
  return { request, target: sink.target(request), bytes: sink.size(request), answer: unanswered };
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

async function sendUntilSettled(sink: Sink, units: Unit[], guard: Guard, signal: AbortSignal): Promise<void> {
  let open = units;
  await persistently.execute(async ({ attempt }) => {
    for (const part of chunk(open, sink.limits, ({ bytes }) => bytes))
      await sendChunk(sink, part, guard, signal, attempt > 0);
    open = open.filter((unit) => isWaiting(unit));
    // Where the breaker is open there is nothing to wait for: it is parked at once.
    return guard.isOpen() ? [] : open;
  }, signal);
}

async function sendChunk(
  sink: Sink,
  units: Unit[],
  guard: Guard,
  signal: AbortSignal,
  isRetry: boolean,
): Promise<void> {
  const [first] = units;
  if (first !== undefined && units.length === 1 && first.bytes > sink.limits.bytes) {
    first.answer = {
      state: 'failed',
      reason: `more than the ${sink.limits.bytes} bytes that one call may hold`,
      retryable: false,
    };
    return;
  }
  const requests = units.map(({ request }) => request);
  const answers = await guard.call(units.length, (aborted) => sink.send(requests, aborted), signal, isRetry);
  for (const [index, unit] of units.entries()) unit.answer = answers[index] ?? unanswered;
}

function isFailed({ answer }: Unit): boolean {
  return answer.state === 'failed';
}

function isWaiting({ answer }: Unit): boolean {
  return answer.state === 'failed' && answer.retryable;
}

function failuresOf({ answer, changes, target }: Unit): Failure[] {
  if (answer.state !== 'failed') return [];
  const { reason, retryable, service = false } = answer;
  const state = retryable ? 'waiting' : 'refused';
  return changes.map((change) => ({ change, reason, state, service, targets: [target] }));
}

function count(units: readonly Unit[]): Record<'applied' | 'repeated' | 'superseded', number> {
  const counts = { applied: 0, repeated: 0, superseded: 0 };
  for (const { answer } of units) if (answer.state !== 'failed') counts[answer.state] += 1;
  return counts;
}
