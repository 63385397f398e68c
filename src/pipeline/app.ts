/** What a user hands to the engine: this table, these entities, these sinks. Checked once, when it is put together. */
import { type Decoder, decoder } from '../table/decode.ts';
import type { Entity } from '../table/entity.ts';
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
  for (const entity of entities) {
    const index = Object.keys(entity.indexes).find((name) => !(name in table.indexes));
    if (index !== undefined) throw new Error(`${entity.name}: the table has no index "${index}".`);
    const taken = Object.keys(entity.schema.shape).find((field) => table.reserved.has(field));
    if (taken !== undefined)
      throw new Error(`${entity.name}: the field "${taken}" is a name of the table's own.`);
  }
  return { ...parts, decode: decoder(table, entities) };
}
