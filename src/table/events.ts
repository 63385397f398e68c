/** The domain events of a change, and what they carry. */
import type { Change } from './change.ts';
import type { Entity, Fields } from './entity.ts';
import { plainJson } from './json.ts';
import type { EventRule } from './rules.ts';

export type DomainEvent = { id: string; name: string; rule: EventRule };

export function eventsOf(change: Change): DomainEvent[] {
  return Object.entries(change.entity.events)
    .filter(([, rule]) => rule.holds(change))
    .map(([name, rule]) => ({ id: `${change.id}/${name}`, name, rule }));
}

/** The declared fields, without what is personal and not allowed in this event. */
export function eventData(entity: Entity, item: Fields, rule: EventRule): Fields {
  const allowed = Object.keys(entity.schema.shape).filter(
    (field) => !entity.personal.includes(field) || rule.personal?.includes(field) === true,
  );
  const present = allowed.filter((field) => Object.hasOwn(item, field));
  return Object.fromEntries(present.map((field) => [field, plainJson(item[field])]));
}
