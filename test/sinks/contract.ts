/** The shop as the contract's tests see it: one sink at a time, with its service and what it holds of an order. */
import { randomBytes } from 'node:crypto';
import type { DynamoDBRecord } from 'aws-lambda';
import { afterEach } from 'vitest';
import { redriveDue } from '../../src/deliveries/redrive.ts';
import { defineApp } from '../../src/pipeline/app.ts';
import type { Sink, SinkFactory } from '../../src/pipeline/sink.ts';
import { openStream, type Reader } from '../../src/pipeline/stream.ts';
import { order } from '../../src/shop/entities/order.ts';
import type { PublishedEvent } from '../../src/sinks/bus/event.ts';
import { keyText } from '../../src/sinks/cache/keys.ts';
import type { CachePort } from '../../src/sinks/cache/port.ts';
import type { Entity, Fields } from '../../src/table/entity.ts';
import { eventOf } from '../support/records.ts';
import { openServices, type Service } from './contract-services.ts';
import { fresh, history, nameOf, orderAt, purchase } from './items.ts';
import { openWorld } from './world.ts';

/** What the contract must know of a sink beyond the sink itself. */
type Particulars = {
  /** The member of an entity that switches it on. */
  member: 'search' | 'cache' | 'audit' | 'emails' | 'events';
  /** What it holds of an order that was shipped, and when it is told afterwards that it was placed. */
  shipped: string[];
  placedAfterwards: string[];
  /** What its service takes in one call. */
  most: { count: number; bytes: number };
  /** Fields of an order of which no call holds thirty. */
  large: Fields;
  /** Fields of an order that no call holds; absent where a sink spreads it over several. */
  tooLarge?: Fields;
};

const naming = (name: string): Fields => ({ items: [{ productId: 'p1', name, quantity: 1, price: 20 }] });
/** 300 KB in UTF-8, from far fewer characters: one that is packed well, and one that is not. */
const large = naming('語'.repeat(100_000));
const characters = Array.from(randomBytes(100_000), (byte) => String.fromCharCode(0x4e00 + byte));
const unpackable = naming(characters.join(''));
const tooLarge = naming('x'.repeat(6_000_000));
const transaction = { count: 25, bytes: 4_000_000 };

const particulars: Readonly<Record<string, Particulars>> = {
  search: {
    member: 'search',
    shipped: ['shipped'],
    placedAfterwards: ['shipped'],
    most: { count: 500, bytes: 5_000_000 },
    large,
    tooLarge,
  },
  cache: {
    member: 'cache',
    shipped: [],
    placedAfterwards: [],
    most: { count: 1_000, bytes: 1_000_000 },
    large: { userId: 'k'.repeat(40_000) },
    // A key that no call holds would stem from an item that no table holds.
  },
  audit: {
    member: 'audit',
    shipped: ['3'],
    placedAfterwards: ['1', '3'],
    most: transaction,
    large: unpackable,
  },
  email: {
    member: 'emails',
    shipped: ['orderShipped'],
    placedAfterwards: ['orderConfirmation', 'orderShipped'],
    most: transaction,
    large,
    tooLarge,
  },
  bus: {
    member: 'events',
    shipped: ['OrderShipped'],
    placedAfterwards: ['OrderShipped', 'OrderPlaced'],
    most: { count: 10, bytes: 1_048_576 },
    large,
    tooLarge,
  },
};

export type Subject = Particulars & {
  sink: Sink;
  service: Service;
  /** Takes the records with this sink alone, by a shop that may be another in part. */
  take(records: readonly DynamoDBRecord[], parts?: { order?: Entity; sink?: Sink }): Promise<unknown>;
  /** What it holds of an order, in its order. */
  holds(item: Fields): Promise<string[]>;
  /** What is parked of an order: of sinks that recover by item its hold, of others each change. */
  parked(item: Fields): Promise<Parked[]>;
  /** The state of the order's hold; none holds nobody. */
  hold(item: Fields): Promise<string | undefined>;
  /** What is parked is due by now, and is tried again. */
  redrive(): Promise<unknown>;
};

/** `record`: as it came; of a sink that recovers by item there is none. */
type Parked = { state: string; reason: string; version: unknown; record?: unknown };

export async function openContract() {
  const world = await openWorld();
  const services = openServices(world);
  afterEach(() => {
    for (const service of Object.values(services.byName)) service.calm();
  });
  const connections = { ...world.connections, cache: services.cache };
  const context = { connections, store: world.store, replay: false, late: false };
  const opened = world.app.sinks.flatMap((factory) => factory(context) ?? []);
  const holds = holdsOf(world, services.cache);
  const subjects = opened.map((sink): Subject => {
    const known = particulars[sink.name];
    const service = services.byName[sink.name];
    const holdsOfIt = holds[sink.name];
    if (known === undefined || service === undefined || holdsOfIt === undefined)
      throw new Error(`Tell the contract about ${sink.name}.`);
    const appOf = (parts: Parameters<Subject['take']>[1] = {}) => {
      const sinks: SinkFactory[] = [() => parts.sink ?? sink];
      return defineApp({ table: world.app.table, entities: [parts.order ?? order], sinks });
    };
    const reader: Reader = sink.kind === 'act' ? 'notify' : 'project';
    return {
      ...known,
      sink,
      service,
      take(records, parts = {}) {
        return openStream(appOf(parts), reader, connections)(eventOf(...structuredClone([...records])));
      },
      holds: holdsOfIt,
      async parked(item) {
        if (sink.recover === undefined) {
          const changes = await world.parkedChanges(sink.name, nameOf(item));
          return changes.map(({ state, reason, version, raw: record }) => ({
            state,
            reason,
            version,
            record,
          }));
        }
        const hold = await world.hold(sink.name, nameOf(item));
        return hold ? [{ state: hold.state, reason: hold.reason, version: hold.view?.version }] : [];
      },
      hold: async (item) => (await world.hold(sink.name, nameOf(item)))?.state,
      redrive() {
        world.clock.milliseconds += 6_000;
        return redriveDue(appOf(), connections, { signal: new AbortController().signal });
      },
    };
  });
  return { world, subjects, cache: services.cache };
}

type World = Awaited<ReturnType<typeof openWorld>>;

function holdsOf(world: World, cache: CachePort): Readonly<Record<string, Subject['holds']>> {
  return {
    async search(item) {
      const document = await world.document('orders', nameOf(item));
      return document === undefined ? [] : [String(document.source.status)];
    },
    async cache(item) {
      const held = await Promise.all(keysOf(item).map((key) => cache.peek(key)));
      return held.filter((value) => value !== undefined);
    },
    audit: async (item) => (await world.auditRows(item)).map(({ version }) => String(Number(version) % 1000)),
    email: async (item) => (await world.outboxRows(nameOf(item))).map(({ email }) => String(email)),
    async bus(item) {
      const events = world.bus.events().filter(({ detail }) => {
        return (detail as PublishedEvent).meta.eventId.startsWith(`${nameOf(item)}/`);
      });
      return events.map((event) => event['detail-type']);
    },
  };
}

/** The cache keys that an order is seen through. */
export const keysOf = (item: Fields) => ((order as Entity).cache?.(item) ?? []).map(keyText);

/** An order of a customer who has no other, and the records of its being placed and shipped. */
export function life(fields: Fields = {}) {
  const id = fresh('o');
  const own = { ...fields, userId: `${fresh('u')}${fields.userId ?? ''}` };
  const forms = ['pending', 'paid', 'shipped'].map((status, index) =>
    orderAt(index + 1, purchase(id, { ...own, status })),
  );
  const [placed, , shipped] = history(undefined, ...forms);
  if (placed === undefined || shipped === undefined) throw new Error('There are three.');
  return { item: forms[0] ?? {}, now: forms[2] ?? {}, placed, shipped };
}
