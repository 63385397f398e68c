/** Events received against the changes: each as it must read, once, and the first copies of an item's in its order. */
import { type PublishedEvent, planEvent } from '../../sinks/bus/event.ts';
import type { Change } from '../../table/change.ts';
import type { Fields } from '../../table/entity.ts';
import { eventsOf } from '../../table/events.ts';
import type { BusEvent } from '../servers/bus.ts';
import { compareEntries } from './entries.ts';
import type { Finding } from './finding.ts';

type Received = { id: string; fields: Fields; first: boolean; isLate: boolean };

export type Allowed = {
  /** Each event may have come again, as after an attack, but none that was not there. */
  repeats: boolean;
  /** Events may have been overtaken, as long as they say that they are late. */
  late?: boolean;
};

export function compareBus(
  events: readonly BusEvent[],
  changes: readonly Change[],
  source: string,
  allowed: Allowed,
): Finding {
  const known = new Set(changes.flatMap((change) => eventsOf(change).map(({ id }) => id)));
  const own = events.filter((event) => {
    const { meta }: Partial<PublishedEvent> = event.detail;
    return meta?.replay !== true || known.has(meta.eventId);
  });
  const received = readEvents(own, allowed);
  const expected = changes.flatMap((change) =>
    eventsOf(change).map((event) => {
      const { name, meta, data } = planEvent(change, event);
      return { id: event.id, fields: { name, source, ...meta, publishedAt: true, data } };
    }),
  );
  const finding = compareEntries('the bus', received, expected, allowed.repeats);
  finding.stale.push(...overtaken(received, changes));
  return { ...finding, replayed: events.length - own.length };
}

/** First copies that say that they are late, although nothing of their item has passed them. */
export function wronglyLate(events: readonly BusEvent[], changes: readonly Change[]): string[] {
  const received = readEvents(events, { repeats: true, late: true });
  const passed = new Set(
    overtaken(
      received.map((one) => ({ ...one, isLate: false })),
      changes,
    ),
  );
  return received
    .filter(({ id, first, isLate }) => first && isLate && !passed.has(overtaking(id)))
    .map(({ id }) => `${id} says that it is late, and nothing had passed it`);
}

const overtaking = (id: string) => `${id} came after a newer one of its item`;

function readEvents(events: readonly BusEvent[], allowed: Allowed): Received[] {
  const seen = new Set<string>();
  return events.map((event) => {
    const { meta, data }: Partial<PublishedEvent> = event.detail;
    const id = String(meta?.eventId);
    const first = !seen.has(id);
    seen.add(id);
    // When it was published cannot be foretold, only that it says so. Where nothing fails, nothing comes late; a
    // repeat may say that it does, for others of its item have passed it, or that somebody has asked for it.
    const told = {
      publishedAt: !Number.isNaN(Date.parse(String(meta?.publishedAt))),
      late: first && allowed.late !== true ? meta?.late : false,
      replay: first ? meta?.replay : false,
    };
    return {
      id,
      first,
      isLate: allowed.late === true && meta?.late === true,
      fields: { name: event['detail-type'], source: event.source, ...meta, ...told, data },
    };
  });
}

/** What stands in an item's order is the change: the event's own words about item, version and `late` are on trial. */
function overtaken(received: readonly Received[], changes: readonly Change[]): string[] {
  const causes = new Map(
    changes.flatMap((change, position) =>
      eventsOf(change).map(({ id }) => [id, { item: change.item, position }] as const),
    ),
  );
  const newest = new Map<string, number>();
  const late: string[] = [];
  for (const { id, isLate } of received.filter(({ first }) => first)) {
    const cause = causes.get(id);
    if (cause === undefined) continue;
    const passed = newest.get(cause.item) ?? 0;
    if (cause.position < passed && !isLate) late.push(overtaking(id));
    newest.set(cause.item, Math.max(cause.position, passed));
  }
  return late;
}
