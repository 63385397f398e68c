/** What a user hands to the engine: this table, these entities, these sinks. Checked once, when it is put together. */
import { decoder } from '../table/decode.ts';
import type { Entity } from '../table/entity.ts';
import type { Decoder } from '../table/record.ts';
import type { Table } from '../table/table.ts';
import type { SinkFactory } from './sink.ts';

export type App = {
  table: Table;
  entities: readonly Entity[];
  sinks: readonly SinkFactory[];
  decode: Decoder;
};

export function defineApp(parts: {
  table: Table;
  entities: readonly Entity[];
  sinks: readonly SinkFactory[];
}): App {
  const { table, entities } = parts;
  const names = entities.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`Two entities are called ${twice}.`);
  refuseShared(entities, 'key', ({ key }) => `${key.pk.text} / ${key.sk.text}`);
  refuseShared(entities, 'search index', ({ search }) => search?.index);
  for (const entity of entities) {
    const index = Object.keys(entity.indexes).find((name) => !(name in table.indexes));
    if (index !== undefined) throw new Error(`${entity.name}: the table has no index "${index}".`);
    const taken = Object.keys(entity.schema.shape).find((field) => table.reserved.has(field));
    if (taken !== undefined)
      throw new Error(`${entity.name}: the field "${taken}" is a name of the table's own.`);
  }
  return { ...parts, decode: decoder(table, entities) };
}

/** What two entities share they would overwrite for each other. */
function refuseShared(
  entities: readonly Entity[],
  what: string,
  partOf: (entity: Entity) => string | undefined,
): void {
  for (const [index, entity] of entities.entries()) {
    const part = partOf(entity);
    const other = entities.slice(0, index).find((earlier) => part !== undefined && partOf(earlier) === part);
    if (other !== undefined)
      throw new Error(`${entity.name} and ${other.name} have the same ${what}: ${part}.`);
  }
}
