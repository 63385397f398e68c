/**
 * Redrive: what is parked is tried again. An item is the unit: whoever holds its lease brings it up to date, a view
 * by what the item is now, log and acts by the changes as they were. It can never roll anything back.
 */
import type { Connections } from '../connections.ts';
import { adoption } from '../pipeline/adoption.ts';
import type { App } from '../pipeline/app.ts';
import { type Guard, openGuard } from '../pipeline/breaker.ts';
import type { Sink } from '../pipeline/sink.ts';
import { type Marks, openSinks, storeOf } from '../pipeline/stream.ts';
import { whatWasThrown } from '../pipeline/thrown.ts';
import { dueItems } from './holds.ts';
import { openSwitches } from './switches.ts';
import { holdUnheld } from './unheld.ts';
import { type Asked, type Parts, type RedriveCounts, redriveUnit } from './unit.ts';

export type { RedriveCounts };

export type Redriven = {
  /** By sink. */
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
  const drive = openDrive(app, connections, signal);
  await Promise.all(drive.result.names.map((sink) => drive.all(sink)));
  return drive.result;
}

/** Tries one item of a sink now, due or not. `settled`: also what was refused or is dead; acts among it are late. */
export async function redriveItem(
  app: App,
  connections: Connections,
  { sink, item, settled }: { sink: string; item: string; settled: boolean },
  { signal }: { signal: AbortSignal },
): Promise<Redriven> {
  const drive = openDrive(app, connections, signal);
  await drive.item(sink, item, { byHand: true, settled });
  return drive.result;
}

function openDrive(app: App, connections: Connections, signal: AbortSignal) {
  const sinksSaying = openMarked(app, connections);
  const inOrder = sinksSaying({ late: false, replay: false });
  const names = [...inOrder.keys()];
  const guards = new Map<string, Guard>();
  const result: Redriven = { sinks: {}, items: 0, names };
  const switches = openSwitches(connections, names);

  function partsFor(sink: Sink, item: string): Parts {
    // Of each kind of item its own: an index that is missing says nothing of the others.
    const name = `${sink.name} ${kindOf(item)}`;
    const guard = guards.get(name) ?? openGuard();
    guards.set(name, guard);
    result.sinks[sink.name] ??= { ...nothing };
    const counts = result.sinks[sink.name] ?? { ...nothing };
    const saying = (marks: Required<Marks>) => sinksSaying(marks).get(sink.name) ?? sink;
    return { app, connections, sink, saying, guard, counts, signal };
  }

  async function one(name: string, item: string, asked: Asked): Promise<boolean> {
    const sink = inOrder.get(name);
    if (sink === undefined) throw new Error(`There is no sink ${name} here, or it is switched off.`);
    // A pause takes hold in the midst of a run; nobody is asked then, and nothing dies.
    if ((await switches.read()).get(name)?.paused) return false;
    result.items += 1;
    return redriveUnit(partsFor(sink, item), item, asked);
  }

  /** The first of each kind goes alone: where its service is down, the others wait without a try. */
  async function several(name: string, items: readonly string[]): Promise<boolean> {
    const asked = { byHand: false, settled: false };
    const kinds = [...Map.groupBy(items, kindOf).values()];
    const up = await Promise.all(
      kinds.map(async (ofKind) => {
        let isUp = false;
        for (let start = 0; start < ofKind.length && !signal.aborted; ) {
          const part = ofKind.slice(start, start + (isUp ? atOnce : 1));
          isUp = (await Promise.all(part.map((item) => one(name, item, asked)))).some(Boolean);
          if (!isUp) return false;
          start += part.length;
        }
        return true;
      }),
    );
    return up.some(Boolean);
  }

  async function due(name: string): Promise<void> {
    const seen = new Set<string>();
    for (let isUp = true; isUp && !signal.aborted; ) {
      const items = await dueItems(connections, name, connections.now(), pageSize);
      const unseen = items.filter((item) => !seen.has(item));
      if (unseen.length === 0) return;
      for (const item of unseen) seen.add(item);
      isUp = await several(name, unseen);
    }
  }

  /** What cannot be read now is read by the next run. */
  async function orWarn(sink: string, work: Promise<void>): Promise<void> {
    await work.catch((error) => {
      if (!signal.aborted) connections.log.warn('redrive', { sink, reason: whatWasThrown(error) });
    });
  }

  return {
    result,
    item: one,
    /** All of a sink that is due, and only then what has no hold, which must not keep that waiting. */
    async all(name: string): Promise<void> {
      await orWarn(name, due(name));
      // Of a view its hold is all there is.
      if (inOrder.get(name)?.recover === undefined) await orWarn(name, holdUnheld(connections, name, signal));
    },
  };
}

const nothing: RedriveCounts = {
  applied: 0,
  repeated: 0,
  superseded: 0,
  refused: 0,
  dead: 0,
  waiting: 0,
  late: 0,
};

/** An item's name begins with its entity. */
function kindOf(item: string): string {
  return item.slice(0, item.indexOf('/'));
}

/** The sinks, which say of what they send whether it is late and whether it is a replay; opened when needed. */
function openMarked(app: App, connections: Connections) {
  const opened = new Map<string, Map<string, Sink>>();
  const context = { connections, store: storeOf(app, connections) };
  return function sinksSaying(marks: Required<Marks>): Map<string, Sink> {
    const name = JSON.stringify(marks);
    const known = opened.get(name);
    if (known !== undefined) return known;
    const sinks = (['project', 'notify'] as const).flatMap((reader) =>
      openSinks([adoption, ...app.sinks], reader, { ...context, ...marks }),
    );
    const named = new Map(sinks.map((sink) => [sink.name, sink]));
    opened.set(name, named);
    return named;
  };
}
