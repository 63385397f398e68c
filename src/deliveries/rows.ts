/**
 * What lies in the deliveries table.
 *
 * | pk | sk | what |
 * |---|---|---|
 * | `<sink>/<item>` | `hold` | the unit of redrive: due time, attempts, owner, lease, `rev`; of a view all that is parked |
 * | `<sink>/<item>` | `change/<order>` | log and acts: one change, whole; with `queue` and `due` until it was looked after |
 * | `record/<event id>` | a hash | a record that is ours but cannot be read, whole |
 * | `switch/<sink>` | `switch` | since when an act is switched on, and whether a sink is paused |
 */

import { hash } from '../table/canonical.ts';
import type { Change, Key } from '../table/change.ts';

/** `waiting`: tried again by itself. `refused`: for good. `dead`: tried often enough. The last two wait for a person. */
export type DeliveryState = 'waiting' | 'refused' | 'dead';

export type HoldRow = {
  pk: string;
  sk: string;
  sink: string;
  item: string;
  state: DeliveryState;
  /** Another one each time that something is parked under it. */
  rev: string;
  /** Answers about the delivery itself that it failed; of a service that is down nobody dies. */
  attempts: number;
  /** All tries, for the time until the next. */
  tries: number;
  reason: string;
  /** The first reason of all. */
  firstReason: string;
  /** Epoch milliseconds. */
  firstAt: number;
  lastAt: number;
  due?: number;
  /** Only of those that are due one day: what the index is made of. */
  queue?: string;
  owner?: string;
  leasedUntil?: number;
  /** Views: the highest version that was parked, and what would have been written. */
  view?: ParkedView;
};

/** All that a view needs to catch up with an item. */
export type ParkedView = {
  entity: string;
  key: Key;
  /** The highest version that any of the parked changes has shown. */
  version: number;
  /** Whether the item bears versions. */
  versioned: boolean;
  occurredAt: string;
  targets: string[];
};

/** What could not be delivered, and is to be parked. */
export type Undelivered = {
  change: Change;
  state: 'waiting' | 'refused';
  reason: string;
  /** The targets that were not reached; of a view they are told apart. */
  targets: readonly string[];
};

export const holdKey = 'hold';
export const changePrefix = 'change/';

export function unitOf(sink: string, item: string): string {
  return `${sink}/${item}`;
}

/** A sink's holds are spread over so many partitions of the index. */
const queues = 4;

/** A sink's own, so that what waits for one that is down stands in nobody's way. */
export function queuesOf(sink: string): string[] {
  return Array.from({ length: queues }, (_, index) => `${sink}/${index}`);
}

/** By the unit itself, so that a repeat comes to the same one. */
export function queueOf(sink: string, item: string): string {
  const place = hash(unitOf(sink, item)).codePointAt(0) ?? 0;
  return `${sink}/${place % queues}`;
}

/** Longer than a Lambda function can run, 15 minutes. */
const lookAfterMilliseconds = 20 * 60_000;

/** Where the changes of a sink stand that are to be looked after: `unheld.ts` says what for. */
export const unheldOf = (sink: string) => `unheld/${sink}`;

/** What a change's row bears until it was looked after. */
export function lookedAfter(sink: string, item: string, at: number): { queue: string; due: number } {
  return { queue: queueOf(unheldOf(sink), item), due: at + lookAfterMilliseconds };
}

/** What takes that away. */
export const notLookedAfter = { queue: undefined, due: undefined };

/** The index over what is due: `queue`, then `due`. */
export const dueIndex = 'due';

/**
 * The order of an item's changes: by the stream's position where there is one, since versions of changes made past
 * Sluice say little; else by version.
 */
export function orderOf(change: Change, position: string | undefined): string {
  const tail = change.id.slice(change.id.lastIndexOf('/') + 1);
  const place = position !== undefined && /^\d{1,60}$/.test(position) ? position.padStart(60, '0') : '';
  return `${changePrefix}${place}/${String(change.version).padStart(16, '0')}/${tail}`;
}
