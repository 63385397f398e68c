/**
 * Redrive: what is parked is tried again. An item is the unit: whoever holds its lease brings it up to date, a view
 * by what the item is now, log and acts by the changes as they were. It can never roll anything back.
 */
import { randomUUID } from 'node:crypto';
import type { Connections } from '../connections.ts';
import { adoption } from '../pipeline/adoption.ts';
import type { App } from '../pipeline/app.ts';
import { readEntry } from '../pipeline/batch.ts';
import { type Guard, openGuard } from '../pipeline/breaker.ts';
import { sendRequests } from '../pipeline/deliver.ts';
import type { Answer, Sink } from '../pipeline/sink.ts';
import { decodeSafely, type Marks, openSinks, storeOf } from '../pipeline/stream.ts';
import { whatWasThrown } from '../pipeline/thrown.ts';
import { backoffMilliseconds, mostAttempts } from './backoff.ts';
import { changesUnder, countAttempt, type ParkedChange, removeChange, settleChange } from './changes.ts';
import { dropHold, dueItems, leaseHold, leaseMilliseconds, releaseHold } from './holds.ts';
import { type HoldRow, queueOf, unitOf } from './rows.ts';
import { readSwitches } from './switches.ts';

/** What came of deliveries, by sink. `waiting`: tried and still parked. */
export type RedriveCounts = Record<
  'applied' | 'repeated' | 'superseded' | 'refused' | 'dead' | 'waiting' | 'late',
  number
>;

export type Redriven = {
  sinks: Record<string, RedriveCounts>;
  /** How many items were tried. */
  items: number;
  /** The sinks that there are. */
  names: string[];
};

/** Items of one sink that are brought up to date at once. */
const atOnce = 10;
/** Holds that are looked up at once. */
const pageSize = 400;

/** Tries what is due, until nothing is or the time is up. Each sink by itself: one that is down holds up no other. */
export async function redriveDue(
  app: App,
  connections: Connections,
  { signal }: { signal: AbortSignal },
): Promise<Redriven> {
  const drive = await openDrive(app, connections, signal);
  await Promise.all(drive.sinks.map((sink) => drive.all(sink)));
  return drive.result;
}

/** Tries one item of a sink now, due or not. `settled`: also what was refused or is dead; acts among it are late. */
export async function redriveItem(
  app: App,
  connections: Connections,
  unit: { sink: string; item: string; settled: boolean },
  { signal }: { signal: AbortSignal },
): Promise<Redriven> {
  const drive = await openDrive(app, connections, signal);
  await drive.item(unit.sink, unit.item, unit.settled);
  return drive.result;
}

async function openDrive(app: App, connections: Connections, signal: AbortSignal) {
  const context = { connections, store: storeOf(app, connections) };
  const opened = new Map<string, Map<string, Sink>>();
  /** The sinks, which say of what they send whether it is late and whether it is a replay. */
  function sinksSaying(marks: Required<Marks>): Map<string, Sink> {
    const name = JSON.stringify(marks);
    const known = opened.get(name);
    if (known !== undefined) return known;
    const sinks = (['project', 'notify'] as const).flatMap((reader) =>
      openSinks([adoption, ...app.sinks], reader, { ...context, ...marks }),
    );
    const named = new Map(sinks.map((sink) => [sink.name, sink]));
    opened.set(name, named);
    return named;
  }
  const inOrder = sinksSaying({ late: false, replay: false });
  const guards = new Map<string, Guard>();
  const result: Redriven = { sinks: {}, items: 0, names: [...inOrder.keys()] };
  const switches = await readSwitches(connections, [...inOrder.keys()]);

  function partsFor(sink: Sink, counts: RedriveCounts): Parts {
    const guard = guards.get(sink.name) ?? openGuard();
    guards.set(sink.name, guard);
    const saying = (marks: Required<Marks>) => sinksSaying(marks).get(sink.name) ?? sink;
    return { app, connections, sink, saying, guard, counts, signal };
  }

  function countsOf(name: string): RedriveCounts {
    result.sinks[name] ??= {
      applied: 0,
      repeated: 0,
      superseded: 0,
      refused: 0,
      dead: 0,
      waiting: 0,
      late: 0,
    };
    return result.sinks[name];
  }

  async function one(name: string, item: string, settled: boolean): Promise<boolean> {
    const sink = inOrder.get(name);
    if (sink === undefined) throw new Error(`There is no sink ${name} here, or it is switched off.`);
    result.items += 1;
    return redrive(partsFor(sink, countsOf(name)), item, settled);
  }

  /** The first one goes alone: where its service is down, the others wait without a try. */
  async function several(name: string, items: readonly string[], isUp: boolean): Promise<boolean> {
    let up = isUp;
    for (let start = 0; start < items.length && !signal.aborted; ) {
      const part = items.slice(start, start + (up ? atOnce : 1));
      up = (await Promise.all(part.map((item) => one(name, item, false)))).some(Boolean);
      if (!up) return false;
      start += part.length;
    }
    return true;
  }

  return {
    result,
    /** A sink that is paused is left alone. */
    sinks: [...inOrder.keys()].filter((name) => !switches.get(name)?.paused),
    item: one,
    async all(name: string): Promise<void> {
      const seen = new Set<string>();
      for (let up = false; !signal.aborted; ) {
        const due = await dueItems(connections, name, connections.now(), pageSize);
        const unseen = due.filter((item) => !seen.has(item));
        if (unseen.length === 0) return;
        for (const item of unseen) seen.add(item);
        up = await several(name, unseen, up);
        if (!up) return;
      }
    },
  };
}

type Parts = {
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
  | { outcome: 'waiting'; reason: string; down: boolean }
  | { outcome: 'refused'; reason: string };

/** Gives whether the service was there. */
async function redrive(parts: Parts, item: string, settled: boolean): Promise<boolean> {
  const { connections, sink } = parts;
  const unit = unitOf(sink.name, item);
  const hold = await leaseHold(connections, unit, randomUUID());
  if (hold === undefined) {
    // What was refused or is dead has no hold, nor has a change whose parking failed halfway: only a person asks.
    if (!settled || sink.recover !== undefined) return true;
    const tried = await tryChanges(parts, unit, connections.now() + leaseMilliseconds / 2, true, true);
    return !(tried.outcome === 'waiting' && tried.down);
  }
  // Half of the lease: whoever begins a request must be sure to end it before others may take over.
  const until = connections.now() + leaseMilliseconds / 2;
  const tried =
    sink.recover === undefined ? await tryChanges(parts, unit, until, settled) : await tryView(parts, hold);
  if (tried.outcome === 'done') {
    if (!(await dropHold(connections, hold))) await releaseHold(connections, hold, {});
    return true;
  }
  await putBack(parts, hold, tried);
  return !(tried.outcome === 'waiting' && tried.down);
}

async function putBack(
  { connections, counts }: Parts,
  hold: HoldRow,
  tried: Exclude<Tried, { outcome: 'done' }>,
): Promise<void> {
  const at = connections.now();
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
  const again = { state: 'waiting' as const, queue: queueOf(hold.sink, hold.item), due };
  await releaseHold(connections, hold, { attempts, tries, reason, lastAt: at, ...again });
}

/** A view: what the item is now. */
async function tryView(parts: Parts, { pk, item, view }: HoldRow): Promise<Tried> {
  const { app, connections, sink, guard, counts, signal } = parts;
  const entity = app.entities.find(({ name }) => name === view?.entity);
  if (view === undefined || entity === undefined || sink.recover === undefined)
    return { outcome: 'refused', reason: `there is no entity ${view?.entity} any more` };
  const whole = await changesUnder(connections, pk);
  const targets = [...view.targets, ...whole.flatMap((change) => targetsOf(parts, change))];
  let requests: unknown[];
  try {
    requests = await sink.recover({ ...view, targets, entity, item }, signal);
  } catch (error) {
    return { outcome: 'waiting', reason: whatWasThrown(error), down: true };
  }
  const tried = verdictOf(await sendRequests(sink, requests, { guard, signal }), counts);
  if (tried.outcome === 'done') for (const change of whole) await removeChange(connections, change);
  return tried;
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
function verdictOf(answers: readonly Answer[], counts: RedriveCounts): Tried {
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
async function tryChanges(
  parts: Parts,
  unit: string,
  until: number,
  settled: boolean,
  isUnheld = false,
): Promise<Tried> {
  const { connections, sink, counts, signal } = parts;
  let waiting: Extract<Tried, { outcome: 'waiting' }> | undefined;
  for (const change of await changesUnder(connections, unit)) {
    const isSettled = change.state !== 'waiting';
    if (isSettled && !settled) continue;
    const isLate = isSettled || change.late === true || isUnheld;
    if (signal.aborted || connections.now() > until)
      return waiting ?? { outcome: 'waiting', reason: 'there was no time left for it', down: true };
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
    } else if (!isSettled) {
      waiting ??= tried;
      if (sink.kind === 'act' || tried.down) return waiting;
    }
  }
  return waiting ?? { outcome: 'done' };
}

/** A change that was tried often enough, each time answered, dies: others must not wait for it any longer. */
async function isOver(connections: Connections, change: ParkedChange, down: boolean): Promise<boolean> {
  return !down && (await countAttempt(connections, change)) >= mostAttempts;
}

async function tryChange(
  { app, saying, guard, counts, signal }: Parts,
  change: ParkedChange,
  isLate: boolean,
): Promise<Tried> {
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
