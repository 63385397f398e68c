/** A domain event as it stands in an EventBridge entry's detail. Consumers' contracts and recordings rest on it. */
import type { Change, Key } from '../../table/change.ts';
import type { Fields } from '../../table/entity.ts';
import { type DomainEvent, eventData } from '../../table/events.ts';

type EventMeta = {
  /** The same however often it is published: what consumers drop repeats by. */
  eventId: string;
  entity: string;
  key: Key;
  /** The item's own number: what consumers order an item's events by. */
  version: number;
  /** Whether the version can be trusted: false for changes made past Sluice. */
  exact: boolean;
  /** The version of `data`'s shape. */
  eventVersion: number;
  occurredAt: string;
  publishedAt: string;
  actor: string | null;
  /** The request that caused the change. */
  correlationId: string | null;
  /** Others of its item have passed it. */
  late: boolean;
  /** Published again by a command that replays. */
  replay: boolean;
};

export type PublishedEvent = { meta: EventMeta; data: Fields };

/** All of the event but the time of its publication. */
export type PlannedEvent = { name: string; item: string; meta: Omit<EventMeta, 'publishedAt'>; data: Fields };

/** Whether a person has asked for it again, and whether others of its item have passed it. */
export type EventMarks = { replay: boolean; late: boolean };

export function planEvent(
  change: Change,
  event: DomainEvent,
  { replay, late }: EventMarks = { replay: false, late: false },
): PlannedEvent {
  const { entity, key, version } = change;
  return {
    name: event.name,
    item: change.item,
    meta: {
      eventId: event.id,
      entity: entity.name,
      key,
      version,
      exact: change.inexact === undefined,
      eventVersion: event.rule.eventVersion ?? 1,
      occurredAt: change.occurredAt,
      actor: change.actor ?? null,
      correlationId: change.request ?? null,
      late: late || replay, // when it is replayed, newer ones may have gone out long ago
      replay,
    },
    data: eventData(entity, change.after ?? change.before ?? {}, event.rule),
  };
}

export function publish({ meta, data }: PlannedEvent, publishedAt: string): PublishedEvent {
  return { meta: { ...meta, publishedAt }, data };
}
