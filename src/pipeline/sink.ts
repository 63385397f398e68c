/**
 * A sink: a place that changes go to. `plan` is pure and says what to send as plain data; `send` does it and says
 * of each request what came of it.
 */
import type { Connections } from '../connections.ts';
import type { Right } from '../rights.ts';
import type { Change, Key } from '../table/change.ts';
import type { Entity } from '../table/entity.ts';
import type { Store } from '../table/store.ts';

/** `search`, `cache`, `audit`, `email`, `bus`, or what a user calls a sink of their own. */
export type SinkName = string;

/** A view is state: the newest wins, repeated freely. A log has every version once. An act touches the world. */
export type SinkKind = 'view' | 'log' | 'act';

export type Answer =
  /** `repeated`: it was there already. `superseded`: something newer was there. */
  | { state: 'applied' | 'repeated' | 'superseded' }
  | {
      state: 'failed';
      reason: string;
      /** Whether the same request may pass another time; else it is refused for good. */
      retryable: boolean;
      /** The service failed, whatever it was asked: that says nothing about this request. */
      service?: true;
    };

export type Sink<Request = unknown> = {
  name: SinkName;
  kind: SinkKind;
  /** It waits for that sink, which comes before it, to be done with the batch. */
  after?: SinkName;
  /** It acts on what can be read of an item that does not fit its entity. */
  readsMisfits?: true;
  /** What it calls of AWS: whenever it sends, and in a redrive besides. */
  rights?: { send?: readonly Right[]; recover?: readonly Right[] };
  plan(change: Change): Request[];
  /** What the request is about: views keep the newest of each target, acts keep each target's order. */
  target(request: Request): string;
  /** Views: which of two requests for one target stands. */
  newer?(one: Request, other: Request): Request;
  /** How much one call to the service may hold. */
  limits: { count: number; bytes: number };
  /** Bytes of a request, as the service counts them. */
  size(request: Request): number;
  /** The request as a person would read it, where that is not how it is sent. */
  show?(request: Request): unknown;
  /** What the sink would write is the same before and after the change, so that there is nothing to do. */
  isUnaffected?(change: Change): boolean;
  /**
   * Views: what brings an item up to date of which deliveries are parked, whatever was in them. Without it a view's
   * changes are parked one by one.
   */
  recover?(parked: Recovery, signal: AbortSignal): Promise<Request[]>;
  /** Takes away what it has kept long enough. Whoever calls it again goes on where it was stopped. */
  purge?(entities: readonly Entity[], signal: AbortSignal): Promise<Purged>;
  /**
   * One answer per request, in order. Throwing, or answering too few, fails what is not answered. When the signal
   * aborts, the time is up: it settles at once, and what may have begun is unknown.
   */
  send(requests: Request[], signal: AbortSignal): Promise<Answer[]>;
};

/** `left`: what is known to be kept for too long still. */
export type Purged = { purged: number; left: number };

export type SinkContext = {
  connections: Connections;
  store: Store;
  /** A person has asked for all of it again: acts say so in what they send. */
  replay: boolean;
  /** Others of each item have passed what is sent now: acts say so as well. */
  late: boolean;
};

/** An item of which deliveries to a view are parked. */
type Recovery = {
  entity: Entity;
  key: Key;
  item: string;
  /** The highest version that any of the parked changes has shown. */
  version: number;
  /** Whether the item bears versions. */
  versioned: boolean;
  occurredAt: string;
  /** What would have been written, as `target` names it. */
  targets: readonly string[];
};

/** Makes the sink, or nothing where no endpoint is configured for it: then it is off. */
export type SinkFactory = (context: SinkContext) => Sink | undefined;
