/** The keys of an item: rendered from its fields by the entity's templates. */
import type { Key } from './change.ts';
import type { Entity, Fields } from './entity.ts';
import { WriteError } from './errors.ts';
import type { Table } from './table.ts';
import type { Template } from './template.ts';

export function keyOf(entity: Entity, fields: Fields): Key {
  return { pk: renderWhole(entity, entity.key.pk, fields), sk: renderWhole(entity, entity.key.sk, fields) };
}

export function keyAttributes(table: Table, key: Key): Record<string, string> {
  return { [table.pk]: key.pk, [table.sk]: key.sk };
}

/** The index keys of an item; one whose fields are absent is `undefined`: the item is not in that index. */
export function indexAttributes(
  entity: Entity,
  table: Table,
  fields: Fields,
): Record<string, string | undefined> {
  const attributes: Record<string, string | undefined> = {};
  for (const [index, templates] of Object.entries(entity.indexes)) {
    const names = table.indexes[index];
    if (names === undefined) throw new Error(`${entity.name}: the table has no index "${index}".`);
    const pk = renderSafely(entity, templates.pk, fields);
    const sk = renderSafely(entity, templates.sk, fields);
    const both = pk !== undefined && sk !== undefined;
    attributes[names.pk] = both ? pk : undefined;
    attributes[names.sk] = both ? sk : undefined;
  }
  return attributes;
}

/** The key text of an item that has all its fields. */
export function renderWhole(entity: Entity, template: Template, fields: Fields): string {
  const key = renderSafely(entity, template, fields);
  if (key !== undefined) return key;
  throw new WriteError(
    'Invalid',
    `${entity.name}: the key ${template.text} needs ${template.fields.join(', ')}.`,
  );
}

function renderSafely(entity: Entity, template: Template, fields: Fields): string | undefined {
  try {
    return template.render(fields);
  } catch (cause) {
    throw new WriteError('Invalid', `${entity.name}: ${(cause as Error).message}`, { cause });
  }
}
