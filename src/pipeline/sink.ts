/**
 * A sink: a place that changes go to. `plan` is pure and says what to send as plain data; `send` does it and says
 * of each request what came of it.
 */
import type { Connections } from '../connections.ts';
import type { Change } from '../table/change.ts';
import type { Store } from '../table/store.ts';

/** `search`, `cache`, `audit`, `email`, `bus`, or what a user calls a sink of their own. */
export type SinkName = string;

/** A view is state: the newest wins, repeated freely. A log has every version once. An act touches the world. */
export type SinkKind = 'view' | 'log' | 'act';

export type Answer =
  /** `repeated`: it was there already. `superseded`: something newer was there. */
  { state: 'applied' | 'repeated' | 'superseded' } | { state: 'failed'; reason: string; retryable: boolean };

export type Sink<Request = unknown> = {
  name: SinkName;
  kind: SinkKind;
  /** It waits for that sink, which comes before it, to be done with the batch. */
  after?: SinkName;
  /** It acts on what can be read of an item that does not fit its entity. */
  readsMisfits?: true;
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
  /** One answer per request, in order. Throwing, or answering too few, fails what is not answered. */
  send(requests: Request[]): Promise<Answer[]>;
};

export type SinkContext = {
  connections: Connections;
  store: Store;
  /** A person has asked for all of it again: acts say so in what they send. */
  replay: boolean;
};

/** Makes the sink, or nothing where no endpoint is configured for it: then it is off. */
export type SinkFactory = (context: SinkContext) => Sink | undefined;
