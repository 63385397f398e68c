/**
 * The bus: each event at least once, with an id of our own, since EventBridge has none that survives a repeat. The
 * events of one item go out one after the other: of two in one request the first could be refused and the second
 * taken, and a process that died then would leave nobody to mark the first as late.
 */
import { PutEventsCommand, type PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import type { Connections } from '../../connections.ts';
import type { Answer, Sink, SinkFactory } from '../../pipeline/sink.ts';
import { rights } from '../../rights.ts';
import { eventsOf } from '../../table/events.ts';
import { type PlannedEvent, planEvent, publish } from './event.ts';

/** PutEvents takes 10 entries and, all together, less than 1 MB (API_PutEvents). */
const limits = { count: 10, bytes: 1_000_000 };

/** Refusals that no repeat will change (API_PutEventsResultEntry). */
const permanent = new Set([
  'InvalidArgument',
  'MalformedDetail',
  'RedactionFailure',
  'InvalidAccountIdException',
]);

export const bus: SinkFactory = ({ connections, replay, late }) => {
  const sink: Sink<PlannedEvent> = {
    name: 'bus',
    kind: 'act',
    rights: { send: rights('bus', 'events:PutEvents') },
    plan: (change) => eventsOf(change).map((event) => planEvent(change, event, { replay, late })),
    target: ({ item }) => item,
    limits,
    size: (event) => entrySize(connections, event),
    send: (events, signal) => send(connections, events, signal),
  };
  return sink as Sink;
};

async function send(
  connections: Connections,
  events: PlannedEvent[],
  abortSignal: AbortSignal,
): Promise<Answer[]> {
  const publishedAt = new Date(connections.now()).toISOString();
  const Entries = events.map((event) => entryOf(connections, event, publishedAt));
  try {
    const reply = await connections.eventbridge.send(new PutEventsCommand({ Entries }), { abortSignal });
    return events.map((_, index) => answerOf(reply.Entries?.[index]));
  } catch (error) {
    // One entry that EventBridge cannot take refuses the whole call: the halves are sent, until it stands alone.
    if ((error as Error).name !== 'ValidationException') throw error;
    if (events.length === 1) return [{ state: 'failed', reason: 'ValidationException', retryable: false }];
    const half = Math.ceil(events.length / 2);
    const first = await send(connections, events.slice(0, half), abortSignal);
    return [...first, ...(await send(connections, events.slice(half), abortSignal))];
  }
}

function entryOf({ config }: Connections, event: PlannedEvent, publishedAt: string) {
  return {
    EventBusName: config.SLUICE_BUS,
    Source: config.SLUICE_EVENT_SOURCE,
    DetailType: event.name,
    Detail: JSON.stringify(publish(event, publishedAt)),
  };
}

/** As EventBridge counts: the UTF-8 bytes of source, detail type and detail (eb-putevent-size). */
function entrySize(connections: Connections, event: PlannedEvent): number {
  const { Source, DetailType, Detail } = entryOf(connections, event, new Date(0).toISOString());
  return [Source, DetailType, Detail].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

function answerOf(entry: PutEventsResultEntry | undefined): Answer {
  if (entry?.EventId !== undefined) return { state: 'applied' };
  const code = entry?.ErrorCode;
  if (code === undefined)
    return { state: 'failed', reason: 'EventBridge did not answer for it', retryable: true };
  if (permanent.has(code)) return { state: 'failed', reason: code, retryable: false };
  return { state: 'failed', reason: code, retryable: true, service: true };
}
