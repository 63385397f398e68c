/** Queries of one partition, page by page. Tombstones and expired items are never seen; pages are refilled for them. */
import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { encodeItem, type Image } from './attributes.ts';
import type { Entity, Fields } from './entity.ts';
import { WriteError } from './errors.ts';
import { expression } from './expression.ts';
import { renderWhole } from './keys.ts';
import { epochSeconds, type Store } from './store.ts';
import { type Found, readStored, toFound } from './stored.ts';

export type QueryOptions = {
  /** The index to ask; without one the table itself, consistently. */
  index?: string;
  newestFirst?: boolean;
  /** Default 100. */
  limit?: number;
  /** Where an earlier page ended. */
  cursor?: string;
};

const usualLimit = 100;

export type Page<Item> = {
  found: Found<Item>[];
  /** Asks for the rest; absent at the end. Opaque: it may change its form at any time. */
  next?: string;
  /** How many were left out because they do not fit their schema: one item of others must not hide the rest. */
  misfits: number;
};

/** One page of the items of a partition, whose key is rendered from `fields`. */
export async function queryPage<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  fields: Fields,
  options: QueryOptions = {},
): Promise<Page<Item>> {
  const { limit = usualLimit } = options;
  const place = placeOf(store, entity, fields, options.index);
  // One more than asked for tells whether there is a next page.
  const images = await readLive(store, entity, place, limit + 1, options);
  const shown = images.slice(0, limit);
  const last = images.length > limit ? shown.at(-1) : undefined;
  const found = foundOf(store, entity, shown);
  const misfits = shown.length - found.length;
  return { found, misfits, ...(last && { next: cursorOf(pick(last, place.keys)) }) };
}

/** The first items of a partition, up to the limit. */
export async function query<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  fields: Fields,
  options: QueryOptions = {},
): Promise<Found<Item>[]> {
  const { limit = usualLimit } = options;
  const place = placeOf(store, entity, fields, options.index);
  const images = await readLive(store, entity, place, limit, options);
  return foundOf(store, entity, images.slice(0, limit));
}

/** Reads on over tombstones and expired items until enough live ones are found. */
async function readLive(
  store: Store,
  entity: Entity,
  place: Place,
  enough: number,
  { newestFirst = false, cursor }: QueryOptions,
): Promise<Image[]> {
  const { table } = store;
  const images: Image[] = [];
  let start = cursor === undefined ? undefined : startOf(cursor, place);
  do {
    const page = await readPage(store, place, newestFirst, start);
    for (const image of page.Items ?? []) {
      const { live, fields } = readStored(table, image, epochSeconds(store));
      if (live && fields[table.type] === entity.name) images.push(image);
    }
    start = page.LastEvaluatedKey;
  } while (start !== undefined && images.length < enough);
  return images;
}

function foundOf<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  images: readonly Image[],
): Found<Item>[] {
  return images.flatMap((image) => {
    const stored = readStored(store.table, image, epochSeconds(store));
    return 'item' in entity.parse(stored.fields) ? [toFound(entity, store.table, stored)] : [];
  });
}

/** Where the query looks: its index, its partition, and which attributes say where a page ended. */
type Place = {
  index: string | undefined;
  pk: { name: string; value: string };
  sk: { name: string; prefix: string };
  keys: readonly string[];
};

function placeOf(store: Store, entity: Entity, fields: Fields, index: string | undefined): Place {
  const { table } = store;
  const templates = index === undefined ? entity.key : entity.indexes[index];
  const names = index === undefined ? table : table.indexes[index];
  if (templates === undefined || names === undefined)
    throw new Error(`${entity.name} is in no index "${index}".`);
  return {
    index,
    pk: { name: names.pk, value: renderWhole(entity, templates.pk, fields) },
    sk: { name: names.sk, prefix: templates.sk.prefix },
    keys: [...new Set([table.pk, table.sk, names.pk, names.sk])],
  };
}

function readPage(store: Store, { index, pk, sk }: Place, newestFirst: boolean, start: Image | undefined) {
  const build = expression();
  const partition = `${build.name(pk.name)} = ${build.value(pk.value)}`;
  const begins =
    sk.prefix === '' ? '' : ` AND begins_with(${build.name(sk.name)}, ${build.value(sk.prefix)})`;
  return store.dynamodb.send(
    new QueryCommand({
      TableName: store.tableName,
      ...(index === undefined ? { ConsistentRead: true } : { IndexName: index }),
      KeyConditionExpression: partition + begins,
      ScanIndexForward: !newestFirst,
      ...build.placeholders(),
      ...(start && { ExclusiveStartKey: start as NonNullable<QueryCommandOutput['LastEvaluatedKey']> }),
    }),
  );
}

function pick(image: Image, names: readonly string[]): Image {
  return Object.fromEntries(names.map((name) => [name, image[name]]));
}

function cursorOf(start: Image): string {
  const texts = Object.entries(start).map(([name, value]) => [name, (value as { S: string }).S]);
  return Buffer.from(JSON.stringify(Object.fromEntries(texts))).toString('base64url');
}

/** A cursor is good for the very query that gave it: the same attributes, in the same partition. */
function startOf(cursor: string, { pk, keys }: Place): Image {
  const texts = textsOf(cursor);
  const whole =
    keys.every((name) => typeof texts[name] === 'string') && Object.keys(texts).length === keys.length;
  if (!whole || texts[pk.name] !== pk.value) {
    throw new WriteError('Invalid', 'The cursor does not belong to this query. Begin again without one.');
  }
  return encodeItem(texts);
}

function textsOf(cursor: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch {
    return {};
  }
}
