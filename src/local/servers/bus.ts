import { accept, putEventsInput } from './bus/accept.ts';
import { type BusEvent, createBuses } from './bus/buses.ts';
import { createDelivery, type Dropped, type Receive } from './bus/deliver.ts';
import { busOperations } from './bus/operations.ts';
import { answer } from './bus/protocol.ts';
import { createRouter } from './bus/router.ts';
import { type Killable, listen } from './http.ts';
import { openJournal } from './journal.ts';

export type { BusEvent } from './bus/buses.ts';

type Options = {
  port?: number;
  /** Keeps the events over a restart; not the buses and their rules, which whoever starts it creates. */
  file?: string | undefined;
  region?: string;
  /** What stands behind a target's ARN. */
  targets?: Record<string, Receive>;
  /** Told of an event that a target refused to the end. */
  onDropped?: (dropped: Dropped) => void;
  now?: () => number;
};
type EventBus = Killable & {
  /** Calls `receive` with each event of a bus that matches; returns how to end that. */
  subscribe(busName: string, pattern: string | object, receive: Receive): () => void;
  /** All events accepted, by one bus or by any, in that order. */
  events(busName?: string): BusEvent[];
};

/** EventBridge on loopback: PutEvents, rules and targets, with functions of this process as targets. */
export async function startBus(options: Options = {}): Promise<EventBus> {
  const { port = 0, file, region = 'us-east-1', targets = {}, onDropped = report, now = Date.now } = options;
  const buses = createBuses(region);
  const delivery = createDelivery(onDropped);
  const router = createRouter(targets, delivery.deliver, openJournal(file));

  const PutEvents = (input: unknown) => {
    const outcomes = accept(putEventsInput.parse(input).Entries, region, now());
    // EventBridge itself takes events for a bus that does not exist and drops them (aws-cli issue 9186).
    // Here the whole call is refused, so that a misspelt name shows before it is deployed.
    for (const outcome of outcomes) if ('event' in outcome) buses.busOf(outcome.busName);
    const Entries = outcomes.map((outcome) => {
      if (!('event' in outcome)) return { ErrorCode: outcome.code, ErrorMessage: outcome.message };
      router.route(buses.busOf(outcome.busName), outcome.event);
      return { EventId: outcome.event.id };
    });
    return { FailedEntryCount: outcomes.filter((outcome) => !('event' in outcome)).length, Entries };
  };

  const operations = { ...busOperations(buses), PutEvents };
  const server = await listen(port, (request) => answer(operations, request));
  return {
    ...server,
    subscribe: (busName, pattern, receive) => router.subscribe(buses.busOf(busName), pattern, receive),
    events: router.events,
    stop: () => {
      delivery.stop();
      return server.stop();
    },
  };
}

const report = ({ event, target, error }: Dropped) =>
  console.error(`[bus] ${target} did not take event ${event.id} (${event['detail-type']}):`, error);
