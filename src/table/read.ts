/** Single reads, all consistent: tombstones and expired items are never seen as items. */
import { BatchGetItemCommand, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { encodeItem, type Image } from './attributes.ts';
import type { Key } from './change.ts';
import type { Entity, Fields } from './entity.ts';
import { keyAttributes, keyOf } from './keys.ts';
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
