/** Orders in a world whose services can fail: their records, their events, and how what was parked comes home. */
import type { DynamoDBRecord } from 'aws-lambda';
import { expect } from 'vitest';
import { redriveDue } from '../../src/deliveries/redrive.ts';
import type { Reader } from '../../src/pipeline/stream.ts';
import type { PublishedEvent } from '../../src/sinks/bus/event.ts';
import type { Fields } from '../../src/table/entity.ts';
import { fresh, history, orderAt, purchase } from '../sinks/items.ts';
import type { Conduct } from '../sinks/proxy.ts';
import { allTaken, openWorld } from '../sinks/world.ts';
import { eventOf } from '../support/records.ts';

/** Longer than anything waits for its next try, milliseconds. */
export const hour = 3_600_000;
export const minute = 60_000;

export const down = (): Conduct => ({ status: 503, body: '{}' });

/** Of what nobody stops. */
export const never = { signal: new AbortController().signal };

/** An order as it lies in the table: pending, then paid, then shipped. */
export type Forms = [Fields, Fields, Fields];

export function orderForms(): Forms {
  const one = purchase(fresh('order'));
  const form = (writes: number, status: string) => orderAt(writes, { ...one, status });
  return [form(1, 'pending'), form(2, 'paid'), form(3, 'shipped')];
}

export function recordsOf(forms: Forms) {
  return history(undefined, ...forms) as [DynamoDBRecord, DynamoDBRecord, DynamoDBRecord];
}

/** One per test file, like the world itself. */
export async function openOrders() {
  const world = await openWorld();
  const { app, bus, clock, connections, proxies } = world;

  /** The events of an item, in the order in which they came. */
  const published = ({ sk }: Fields) =>
    bus
      .events()
      .map((event) => ({ name: event['detail-type'], ...(event.detail as PublishedEvent) }))
      .filter(({ meta }) => meta.key.sk === sk);

  const redrive = () => redriveDue(app, connections, never);

  function redriveLater() {
    clock.milliseconds += hour;
    return redrive();
  }

  return {
    ...world,
    published,
    redrive,
    redriveLater,

    /** The reader takes all of the records: none goes back to the stream. */
    async takeAll(reader: Reader, ...records: DynamoDBRecord[]): Promise<void> {
      expect(await world.take(reader, eventOf(...records))).toEqual(allTaken);
    },

    /** What the events of an item are called, and which of them are late, in the order in which they came. */
    eventsOf: (item: Fields) => published(item).map(({ name, meta }) => (meta.late ? `${name} late` : name)),

    /** Every service is well again, and what was parked is tried. */
    async recover(): Promise<void> {
      for (const one of Object.values(proxies)) one.calm();
      await redriveLater();
    },
  };
}
