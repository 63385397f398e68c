/** What a reader does with a batch for one sink: what must wait is parked, the rest is delivered. */
import type { Change } from '../table/change.ts';
import type { Guard } from './breaker.ts';
import { type Delivered, deliver, type Failure, type Plan, planAll } from './deliver.ts';
import type { Answer, Sink } from './sink.ts';

/** A change and where it stands in the batch. */
export type Positioned = { change: Change; index: number };

/** Where what cannot be delivered goes, and what is known of it. */
export type Deliveries = {
  /** The items of these that have deliveries waiting at the sink. Throws where that cannot be known. */
  held(sink: string, items: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Whether each is parked now, in order. */
  park(sink: Sink, failures: readonly (Failure & { index: number })[]): Promise<boolean[]>;
};

/** What came of a delivery; `waiting` and `refused` are parked, `failed` is not. */
export type DeliveryOutcome = Answer['state'] | 'waiting' | 'refused';

export type SinkOutcome = {
  counts: Delivered['counts'] & Record<'unchanged' | 'waiting' | 'refused' | 'early' | 'failed', number>;
  /** All that did not arrive, parked or not. */
  failures: Failure[];
  /** What came of each change. */
  answers: { change: Change; state: DeliveryOutcome }[];
  /** Places in the batch that are neither delivered nor parked. */
  lost: number[];
};

/** `since`: acts cause nothing for what happened before, epoch milliseconds. */
export type Position = { paused: boolean; since: number };

type Parts = {
  sink: Sink;
  guard: Guard;
  deliveries: Deliveries;
  /** Aborts when the sink's time is up. */
  signal: AbortSignal;
  /** Asked for only when there is something to do; nothing where it could not be read. */
  position(): Promise<Position | undefined>;
};

export async function deliverOrPark(parts: Parts, all: readonly Positioned[]): Promise<SinkOutcome> {
  const { sink, guard, deliveries, signal } = parts;
  const { plans, unchanged } = planAll(
    sink,
    all.map(({ change }) => change),
  );
  if (plans.length === 0) return { ...nothing, counts: { ...nothing.counts, unchanged } };
  const position = await parts.position();
  const current = plans.filter(({ change }) => !isEarly(sink, change, position));
  const early = plans.length - current.length;
  const places = new Map(all.map(({ change, index }) => [change, index]));
  const placed = (failure: Failure) => ({ ...failure, index: places.get(failure.change) ?? 0 });
  const held = await heldBy(parts, current, position);
  if (held === undefined) {
    // Whether something of their items waits cannot be known, so nothing of them may go.
    const failures = current.map((plan) => placed(waiting(plan, 'what waits could not be read')));
    const lost = failures.map(({ index }) => index);
    const answers = current.map(({ change }) => ({ change, state: 'failed' as const }));
    return { counts: { ...nothing.counts, unchanged, early, failed: lost.length }, failures, answers, lost };
  }
  const isPaused = position?.paused === true;
  const isQueued = ({ change }: Plan) => isPaused || held.has(change.item);
  const why = isPaused ? 'the sink is paused' : 'an earlier change of its item waits';
  const queued = current.filter(isQueued).map((plan) => waiting(plan, why));
  const delivered = await deliver(
    sink,
    current.filter((plan) => !isQueued(plan)),
    { guard, signal },
  );
  // In the batch's order, which is that of each item's changes.
  const failures = [...queued, ...delivered.failures]
    .map(placed)
    .sort((one, other) => one.index - other.index);
  const parked = failures.length === 0 ? [] : await deliveries.park(sink, failures);
  const lost = failures.flatMap(({ index }, at) => (parked[at] ? [] : [index]));
  const parkedAs = (state: Failure['state']) =>
    failures.filter((failure, at) => parked[at] && failure.state === state).length;
  const counts = { ...delivered.counts, waiting: parkedAs('waiting'), refused: parkedAs('refused') };
  const answers = [
    ...delivered.answers.filter(({ state }) => state !== 'failed'),
    ...failures.map(({ change, state }, at) => ({ change, state: parked[at] ? state : ('failed' as const) })),
  ];
  return { counts: { ...counts, unchanged, early, failed: lost.length }, failures, answers, lost };
}

const nothing: SinkOutcome = {
  counts: {
    applied: 0,
    repeated: 0,
    superseded: 0,
    coalesced: 0,
    unchanged: 0,
    waiting: 0,
    refused: 0,
    early: 0,
    failed: 0,
  },
  failures: [],
  answers: [],
  lost: [],
};

/** An act causes nothing for what happened before it was switched on. */
function isEarly(sink: Sink, change: Change, position: Position | undefined): boolean {
  return sink.kind === 'act' && position !== undefined && Date.parse(change.occurredAt) < position.since;
}

/** Only an act's changes queue behind others. Nothing where it cannot be known. */
async function heldBy(
  { sink, deliveries, signal }: Parts,
  plans: readonly Plan[],
  position: Position | undefined,
): Promise<ReadonlySet<string> | undefined> {
  if (sink.kind !== 'act' || plans.length === 0) return new Set();
  if (position === undefined) return undefined;
  try {
    return await deliveries.held(sink.name, [...new Set(plans.map(({ change }) => change.item))], signal);
  } catch {
    return undefined;
  }
}

function waiting(plan: Plan, reason: string): Failure {
  const targets = 'units' in plan ? plan.units.map(({ target }) => target) : [];
  return { change: plan.change, reason, state: 'waiting', service: true, targets };
}
