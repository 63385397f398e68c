/** The read side: tombstones and expired items are never seen, and pages are refilled for them. */
import { BatchGetItemCommand, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { encodeItem, type Image } from './attributes.ts';
import type { Key } from './change.ts';
import type { Entity, Fields } from './entity.ts';
import { expression } from './expression.ts';
import { keyAttributes, keyOf, renderWhole } from './keys.ts';
import { epochSeconds, type Store } from './store.ts';
import { type Found, readStored, type Stored, toFound } from './stored.ts';

/** The raw image under a key, tombstones included; read consistently. */
export async function getImage(store: Store, key: Key): Promise<Image | undefined> {
  const command = new GetItemCommand({
    TableName: store.tableName,
    Key: encodeItem(keyAttributes(store.table, key)),
    ConsistentRead: true,
  });
  return (await store.dynamodb.send(command)).Item;
}

export async function getStored(store: Store, key: Key): Promise<Stored | undefined> {
  const image = await getImage(store, key);
  return image && readStored(store.table, image, epochSeconds(store));
}

/** The raw images under many keys, read consistently; absent ones are missing. At most 100 a call. */
export async function getImages(store: Store, keys: readonly Key[]): Promise<Image[]> {
  const found: Image[] = [];
  for (let start = 0; start < keys.length; start += 100) {
    let wanted = keys.slice(start, start + 100).map((key) => encodeItem(keyAttributes(store.table, key)));
    while (wanted.length > 0) {
      const request = { [store.tableName]: { Keys: wanted, ConsistentRead: true } };
      const reply = await store.dynamodb.send(new BatchGetItemCommand({ RequestItems: request }));
      found.push(...(reply.Responses?.[store.tableName] ?? []));
      wanted = reply.UnprocessedKeys?.[store.tableName]?.Keys ?? [];
    }
  }
  return found;
}

export async function get<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  key: Fields,
): Promise<Found<Item> | undefined> {
  const stored = await getStored(store, keyOf(entity, key));
  return stored?.live ? toFound(entity, store.table, stored) : undefined;
}

export type QueryOptions = {
  /** The index to ask; without one the table itself, consistently. */
  index?: string;
  newestFirst?: boolean;
  limit?: number;
};

/** The items of one partition, whose key is rendered from `fields`. Reads on until `limit` live ones are found. */
export async function query<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  fields: Fields,
  { index, newestFirst = false, limit = 100 }: QueryOptions = {},
): Promise<Found<Item>[]> {
  const { table } = store;
  const templates = index === undefined ? entity.key : entity.indexes[index];
  const names = index === undefined ? table : table.indexes[index];
  if (templates === undefined || names === undefined)
    throw new Error(`${entity.name} is in no index "${index}".`);
  const build = expression();
  const partition = `${build.name(names.pk)} = ${build.value(renderWhole(entity, templates.pk, fields))}`;
  const sort =
    templates.sk.prefix === ''
      ? ''
      : ` AND begins_with(${build.name(names.sk)}, ${build.value(templates.sk.prefix)})`;
  const found: Found<Item>[] = [];
  let start: Record<string, never> | undefined;
  do {
    const page = await store.dynamodb.send(
      new QueryCommand({
        TableName: store.tableName,
        ...(index === undefined ? { ConsistentRead: true } : { IndexName: index }),
        KeyConditionExpression: partition + sort,
        ScanIndexForward: !newestFirst,
        ...build.placeholders(),
        ...(start && { ExclusiveStartKey: start }),
      }),
    );
    for (const image of page.Items ?? []) {
      const stored = readStored(table, image, epochSeconds(store));
      if (stored.live && stored.fields[table.type] === entity.name)
        found.push(toFound(entity, table, stored));
    }
    start = page.LastEvaluatedKey as Record<string, never> | undefined;
  } while (start !== undefined && found.length < limit);
  return found.slice(0, limit);
}
