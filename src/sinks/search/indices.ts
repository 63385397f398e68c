/**
 * The search indices, made from the entities' declarations: strict, so that a bad document is refused, not guessed.
 * Searches go by one alias and writes by another, so that an index can be made anew while both go on.
 */
import type { Client } from '@opensearch-project/opensearch';
import type { Entity, SearchFieldType } from '../../table/entity.ts';
import { type IndexNames, namesOf, numberOf } from './names.ts';
import { marks } from './plan.ts';

type Fields = Readonly<Record<string, SearchFieldType>>;
export type Searched = Entity & { search: NonNullable<Entity['search']> };

/** The indices of one entity: those that its aliases name, and all that bear its name. */
type Standing = {
  read: string | undefined;
  write: string | undefined;
  types: Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;
};

/** Creates each index that is not there yet, and adds fields that are new. Throws for a field that has changed. */
export async function ensureIndices(
  client: Client,
  prefix: string,
  entities: readonly Entity[],
): Promise<void> {
  for (const entity of searched(entities)) {
    const names = checkedNames(prefix, entity);
    const { read, write, types } = await standing(client, names);
    if (write !== undefined && read !== undefined) await addFields(client, entity, write, types[write] ?? {});
    else if (Object.keys(types).length === 0) await create(client, names, entity);
    else
      throw new Error(
        `Search: ${Object.keys(types).join(', ')} exists, but the alias ${read === undefined ? names.read : names.write} does not. Add the alias, or remove the index and run "npx sluice backfill".`,
      );
  }
}

export function writeAliases(prefix: string, entities: readonly Entity[]): string[] {
  return searched(entities).map(({ search }) => namesOf(prefix, search.index).write);
}

export function searched(entities: readonly Entity[]): Searched[] {
  return entities.filter((entity): entity is Searched => entity.search !== undefined);
}

export async function standing(client: Client, names: IndexNames): Promise<Standing> {
  const { body } = await client.indices.get({ index: `${names.read}-v*` });
  const ours = Object.entries(body).filter(([index]) => numberOf(names.read, index) !== undefined);
  const named = (alias: string) => ours.find(([, { aliases = {} }]) => alias in aliases)?.[0];
  const typesOf = ({ mappings }: (typeof ours)[number][1]) =>
    Object.fromEntries(Object.entries(mappings?.properties ?? {}).map(([name, { type }]) => [name, type]));
  return {
    read: named(names.read),
    write: named(names.write),
    types: Object.fromEntries(ours.map(([index, described]) => [index, typesOf(described)])),
  };
}

/** An index of the entity as it is declared, under these aliases. */
export async function createIndex(
  client: Client,
  index: string,
  { search }: Searched,
  aliases: readonly string[],
): Promise<void> {
  await client.indices.create({
    index,
    body: {
      aliases: Object.fromEntries(aliases.map((alias) => [alias, {}])),
      mappings: { dynamic: 'strict', properties: mapping(search.fields) },
    },
  });
}

/** The fields that are declared otherwise than the index has them. */
function changedFields({ search }: Searched, types: Standing['types'][string]): string[] {
  const declared = Object.entries(declaredTypes(search.fields));
  return declared.flatMap(([name, type]) =>
    types[name] === undefined || types[name] === type ? [] : [`${name} is ${types[name]}, not ${type}`],
  );
}

/** Whether the index is any other than it would be made now. */
export function differs(entity: Searched, types: Standing['types'][string] = {}): boolean {
  const declared = declaredTypes(entity.search.fields);
  return Object.entries(declared).some(([name, type]) => types[name] !== type);
}

/** Removes every index of these entities, with what is in it. */
export async function removeIndices(
  client: Client,
  prefix: string,
  entities: readonly Entity[],
): Promise<void> {
  for (const { search } of searched(entities)) {
    const index = Object.keys((await standing(client, namesOf(prefix, search.index))).types);
    if (index.length > 0) await client.indices.delete({ index });
  }
}

function checkedNames(prefix: string, { name, search }: Searched): IndexNames {
  if (/-(?:write|v\d+)$/.test(search.index))
    throw new Error(`${name}: a search index cannot be called "${search.index}": Sluice adds such endings.`);
  return namesOf(prefix, search.index);
}

async function create(client: Client, names: IndexNames, entity: Searched): Promise<void> {
  try {
    await createIndex(client, names.next([]), entity, [names.read, names.write]);
  } catch (error) {
    const type = typeOf(error);
    if (type === 'resource_already_exists_exception') return; // another process was as quick
    if (type !== 'invalid_alias_name_exception') throw error;
    throw new Error(
      `Search: an index ${names.read} or ${names.write} stands where Sluice needs an alias of that name. Remove it and run "npx sluice backfill".`,
      { cause: error },
    );
  }
}

async function addFields(
  client: Client,
  entity: Searched,
  index: string,
  types: Standing['types'][string],
): Promise<void> {
  const changed = changedFields(entity, types);
  if (changed.length > 0)
    throw new Error(
      `Search: ${entity.name} is declared otherwise than its index ${index}: ${changed.join(', ')}. An index cannot change a field: "npx sluice backfill --rebuild" makes a new one.`,
    );
  const declared = Object.entries(mapping(entity.search.fields));
  const added = declared.filter(([name]) => types[name] === undefined);
  if (added.length > 0)
    await client.indices.putMapping({ index, body: { properties: Object.fromEntries(added) } });
}

function declaredTypes(fields: Fields): Fields {
  return { ...fields, [marks.item]: 'keyword', [marks.removedAt]: 'date', [marks.expiresAt]: 'date' };
}

function mapping(fields: Fields): Record<string, { type: SearchFieldType }> {
  return Object.fromEntries(Object.entries(declaredTypes(fields)).map(([name, type]) => [name, { type }]));
}

function typeOf(error: unknown): string | undefined {
  return (error as { body?: { error?: { type?: string } } }).body?.error?.type;
}
