import type { PublishedEvent } from '../../sinks/bus/event.ts';
import type { CachePort } from '../../sinks/cache/port.ts';
import type { Store } from '../../table/store.ts';
import type { Caused } from '../proof/caused.ts';

/** One step of a day: what happens, and the writes that make it happen. */
export type Step = {
  title: string;
  /** All that it must cause, counted by hand. A day of which no step says so is not counted. */
  causes?: Caused;
  play(store: Store): Promise<void>;
};

/** What can be done by hand once the day is over; `number` is another one each time. */
export type OnDemand = {
  placeOrder(store: Store, number: number): Promise<void>;
  /** Writes an item of ours, past Sluice, that does not fit its entity. */
  poison(store: Store, number: number): Promise<void>;
};

/** Somebody who subscribes to the bus. `receive` says what they did, in a few words, or nothing of a repeat. */
export type Subscriber = {
  name: string;
  pattern: object;
  receive(event: PublishedEvent): string | undefined;
};

/** One thing that somebody does with the application, at random; what it refuses is thrown. */
export type Traffic = (world: {
  store: Store;
  cache: CachePort | undefined;
  random: Chance;
  /** How often something was done before. */
  acts: number;
}) => Promise<unknown>;

export type Chance = {
  /** From 0 to below 1. */
  next(): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  between(low: number, high: number): number;
  /** Throws where there is nothing to pick. */
  pick<Value>(values: readonly Value[]): Value;
};
