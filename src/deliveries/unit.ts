/** One item of a sink: leased, brought up to date, and let go of. */
import { randomUUID } from 'node:crypto';
import type { Connections } from '../connections.ts';
import type { App } from '../pipeline/app.ts';
import { readEntry } from '../pipeline/batch.ts';
import type { Guard } from '../pipeline/breaker.ts';
import { sendRequests } from '../pipeline/deliver.ts';
import type { Answer, Sink } from '../pipeline/sink.ts';
import { decodeSafely, type Marks } from '../pipeline/stream.ts';
import { whatWasThrown } from '../pipeline/thrown.ts';
import { backoffMilliseconds, mostAttempts } from './backoff.ts';
import { changesUnder, countAttempt, type ParkedChange, removeChange, settleChange } from './changes.ts';
import { dropHold, leaseHold, leaseMilliseconds, releaseHold } from './holds.ts';
import { type HoldRow, queueOf, unitOf } from './rows.ts';

/** What came of deliveries. `waiting`: tried and still parked. */
export type RedriveCounts = Record<
  'applied' | 'repeated' | 'superseded' | 'refused' | 'dead' | 'waiting' | 'late',
  number
>;

export type Parts = {
  app: App;
  connections: Connections;
  sink: Sink;
  /** The same sink, which says so of what it sends. */
  saying(marks: Required<Marks>): Sink;
  guard: Guard;
  counts: RedriveCounts;
  signal: AbortSignal;
};

/** What is to become of a hold: `down` where its service failed, so that nothing can be said of the delivery. */
type Tried =
  | { outcome: 'done' }
  /** Some of it has arrived, and there was no time for the rest. */
  | { outcome: 'more' }
  | { outcome: 'waiting'; reason: string; down: boolean }
  | { outcome: 'refused'; reason: string };

/** What came of what was sent. */
type Single = Exclude<Tried, { outcome: 'more' }>;

/**
 * Tries an item of a sink, due or not; gives whether the service was there. `settled`: also what was refused or is dead.
 * Whatever goes wrong with it, it is put back, and the others go on.
 */
export async function redriveUnit(parts: Parts, item: string, asked: Asked): Promise<boolean> {
  const { connections, sink } = parts;
  const unit = unitOf(sink.name, item);
  const hold = await leaseHold(connections, unit, randomUUID());
  if (hold === 'taken') return true; // another redrive is at it
  // Half of the lease: whoever begins a request must be sure to end it before others may take over.
  const until = connections.now() + leaseMilliseconds / 2;
  if (hold === 'absent') {
    // What was refused or is dead has no hold, nor has for a while a change whose parking failed halfway.
    if (!asked.byHand || sink.recover !== undefined) return true;
    return !isDown(await tryChanges(parts, unit, { until, ...asked, isUnheld: true }));
  }
  const tried = await tryHeld(parts, hold, { until, ...asked, isUnheld: false });
  if (tried.outcome !== 'done') {
    await putBack(parts, hold, tried);
    return !isDown(tried);
  }
  if (!(await dropHold(connections, hold))) await releaseHold(connections, hold, {});
  return true;
}

/** `byHand`: a person asks for this very item. */
export type Asked = { byHand: boolean; settled: boolean };

type Terms = Asked & { until: number; isUnheld: boolean };

function isDown(tried: Tried): boolean {
  return tried.outcome === 'waiting' && tried.down;
}

async function tryHeld(parts: Parts, hold: HoldRow, terms: Terms): Promise<Tried> {
  try {
    return parts.sink.recover === undefined
      ? await tryChanges(parts, hold.pk, terms)
      : await tryView(parts, hold);
  } catch (error) {
    parts.connections.log.warn('redrive', { sink: hold.sink, reason: whatWasThrown(error) });
    return { outcome: 'waiting', reason: whatWasThrown(error), down: false };
  }
}

async function putBack(
  { connections, counts }: Parts,
  hold: HoldRow,
  tried: Exclude<Tried, { outcome: 'done' }>,
): Promise<void> {
  const at = connections.now();
  // It goes on at once with the rest, as soon as there is time.
  const next = { state: 'waiting' as const, queue: queueOf(hold.sink, hold.item) };
  if (tried.outcome === 'more') {
    await releaseHold(connections, hold, { ...next, tries: 0, lastAt: at, due: at });
    return;
  }
  const tries = hold.tries + 1;
  const { reason } = tried;
  const left = { due: undefined, queue: undefined } as Record<string, undefined>;
  // Where more was parked meanwhile, that is tried again by itself, and all of it with that.
  const settle = async (changes: Parameters<typeof releaseHold>[2]) => {
    if (!(await releaseHold(connections, hold, changes, true))) await releaseHold(connections, hold, {});
  };
  if (tried.outcome === 'refused') {
    counts.refused += 1;
    await settle({ state: 'refused', tries, reason, lastAt: at, ...left });
    return;
  }
  const attempts = hold.attempts + (tried.down ? 0 : 1);
  // Of log and acts each change counts its own attempts.
  if (attempts >= mostAttempts && hold.view !== undefined) {
    counts.dead += 1;
    await settle({ state: 'dead', attempts, tries, reason, lastAt: at, ...left });
    return;
  }
  counts.waiting += 1;
  const due = at + backoffMilliseconds(tries, Math.random());
  // What a person has tried again by hand is tried by itself from now on.
  await releaseHold(connections, hold, { attempts, tries, reason, lastAt: at, ...next, due });
}

/** A view: what the item is now. */
async function tryView(parts: Parts, { pk, item, view }: HoldRow): Promise<Tried> {
  const { app, connections, sink, guard, counts, signal } = parts;
  const entity = app.entities.find(({ name }) => name === view?.entity);
  if (view === undefined || entity === undefined || sink.recover === undefined)
    return { outcome: 'refused', reason: `there is no entity ${view?.entity} any more` };
  const { changes: whole, more } = await changesUnder(connections, pk);
  const targets = [...view.targets, ...whole.flatMap((change) => targetsOf(parts, change))];
  let requests: unknown[];
  try {
    requests = await sink.recover({ ...view, targets, entity, item }, signal);
  } catch (error) {
    return { outcome: 'waiting', reason: whatWasThrown(error), down: true };
  }
  const tried = verdictOf(await sendRequests(sink, requests, { guard, signal }), counts);
  if (tried.outcome !== 'done') return tried;
  for (const change of whole) await removeChange(connections, change);
  return more ? { outcome: 'more' } : tried;
}

/** What a change that was parked whole would have written; what it is now is written anyhow. */
function targetsOf({ app, sink }: Parts, change: ParkedChange): string[] {
  const decoded = decodeSafely(app, readEntry(change.raw));
  try {
    return 'change' in decoded && decoded.change ? sink.plan(decoded.change).map(sink.target) : [];
  } catch {
    return [];
  }
}

/** What may still pass is tried again, also where something beside it is refused for good. */
function verdictOf(answers: readonly Answer[], counts: RedriveCounts): Single {
  const failed = answers.filter((answer) => answer.state === 'failed');
  const waiting = failed.filter(({ retryable }) => retryable);
  const [first] = waiting;
  if (first !== undefined)
    return {
      outcome: 'waiting',
      reason: first.reason,
      down: waiting.every(({ service }) => service === true),
    };
  const [refused] = failed;
  if (refused !== undefined) return { outcome: 'refused', reason: refused.reason };
  const states = new Set(answers.map(({ state }) => state));
  const state = states.has('applied') ? 'applied' : states.has('superseded') ? 'superseded' : 'repeated';
  if (answers.length > 0) counts[state] += 1;
  return { outcome: 'done' };
}

/**
 * Log and acts: each change as it was, in order. An act's changes stop at the first that waits; one that is refused,
 * or dead, holds nobody. With `settled` those go as well, marked as late.
 */
async function tryChanges(parts: Parts, unit: string, terms: Terms): Promise<Tried> {
  const { connections, sink, counts, signal } = parts;
  let waiting: Extract<Tried, { outcome: 'waiting' }> | undefined;
  const { changes, more } = await changesUnder(connections, unit);
  for (const change of changes) {
    const isSettled = change.state !== 'waiting';
    if (isSettled && !terms.settled) continue;
    const isLate = isSettled || change.late === true || terms.isUnheld;
    if (signal.aborted || connections.now() > terms.until) return waiting ?? { outcome: 'more' };
    const tried = await tryChange(parts, change, isLate);
    if (tried.outcome === 'done') {
      if (isLate && sink.kind === 'act') counts.late += 1;
      await removeChange(connections, change);
    } else if (tried.outcome === 'refused') {
      counts.refused += 1;
      await settleChange(connections, change, 'refused', tried.reason);
    } else if (await isOver(connections, change, tried.down)) {
      counts.dead += 1;
      await settleChange(connections, change, 'dead', tried.reason);
    } else if (isSettled || terms.isUnheld) counts.waiting += 1;
    else {
      waiting ??= tried;
      if (sink.kind === 'act' || tried.down) return waiting;
    }
  }
  return waiting ?? { outcome: more ? 'more' : 'done' };
}

/** A change that was tried often enough, each time answered, dies: others must not wait for it any longer. */
async function isOver(connections: Connections, change: ParkedChange, down: boolean): Promise<boolean> {
  return !down && (await countAttempt(connections, change)) >= mostAttempts;
}

async function tryChange(
  { app, saying, guard, counts, signal }: Parts,
  change: ParkedChange,
  isLate: boolean,
): Promise<Single> {
  if (change.raw === undefined) return { outcome: 'refused', reason: 'a part of it is gone from the table' };
  const decoded = decodeSafely(app, readEntry(change.raw));
  const found = 'change' in decoded ? decoded.change : undefined;
  if (found === undefined)
    return {
      outcome: 'refused',
      reason: `it is no change any more: ${'reason' in decoded ? decoded.reason : ''}`,
    };
  const through = saying({ late: isLate, replay: change.replay === true });
  let requests: unknown[];
  try {
    requests = through.plan(found);
  } catch (error) {
    return { outcome: 'refused', reason: `planning failed: ${whatWasThrown(error)}` };
  }
  return verdictOf(await sendRequests(through, requests, { guard, signal }), counts);
}
