/** Events received against the changes: each id once, and the first copies of an item's events in item order. */
import type { PublishedEvent } from '../../sinks/bus/event.ts';
import type { Change } from '../../table/change.ts';
import { eventsOf } from '../../table/events.ts';
import { counted, type Finding, nothing } from './finding.ts';

/** `repeatsAllowed`: after an attack each event may have come again, but none that was not there. */
export function compareBus(
  received: readonly PublishedEvent[],
  changes: readonly Change[],
  repeatsAllowed: boolean,
): Finding {
  const finding = nothing();
  const expected = new Set(changes.flatMap((change) => eventsOf(change).map(({ id }) => id)));
  const times = counted(received.map(({ meta }) => meta.eventId));
  for (const id of expected) if (!times.has(id)) finding.missing.push(`the bus lacks ${id}`);
  for (const [id, count] of times) {
    if (!expected.has(id)) finding.doubled.push(`the bus has ${id}, which never happened`);
    else if (count > 1 && !repeatsAllowed) finding.doubled.push(`the bus has ${id} ${count} times`);
  }
  finding.stale.push(...overtaken(received));
  return finding;
}

function overtaken(received: readonly PublishedEvent[]): string[] {
  const firsts = new Map<string, PublishedEvent>();
  for (const event of received) if (!firsts.has(event.meta.eventId)) firsts.set(event.meta.eventId, event);
  const newest = new Map<string, number>();
  const late: string[] = [];
  for (const { meta } of firsts.values()) {
    const item = JSON.stringify([meta.entity, meta.key]);
    if (meta.version < (newest.get(item) ?? 0) && !meta.late)
      late.push(`${meta.eventId} came after a newer one and was not marked late`);
    newest.set(item, Math.max(meta.version, newest.get(item) ?? 0));
  }
  return late;
}
