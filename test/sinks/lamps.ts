/**
 * A lamp with a past, on a real DynamoDB: written through Sluice by writers whose clocks differ, and past it by
 * others.
 */
import { DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { expect } from 'vitest';
import { type Product, shop } from '../../src/shop/commands.ts';
import { product } from '../../src/shop/entities/product.ts';
import { readsOf } from '../../src/shop/reads.ts';
import { readThrough, toText } from '../../src/sinks/cache/read.ts';
import { decodeImage, encodeItem } from '../../src/table/attributes.ts';
import { itemName } from '../../src/table/change.ts';
import type { Fields } from '../../src/table/entity.ts';
import { WriteError } from '../../src/table/errors.ts';
import { keyAttributes, keyOf } from '../../src/table/keys.ts';
import { by } from '../support/shop.ts';
import { fresh, lamp } from './items.ts';
import type { Place } from './places.ts';
import type { openWorld } from './world.ts';

type World = Awaited<ReturnType<typeof openWorld>>;
export type Lamp = ReturnType<typeof openLamp>;

/** A lamp that is not there yet, and all that can become of it. */
export function openLamp(world: World) {
  const { dynamodb, store } = world;
  const TableName = world.config.SLUICE_TABLE;
  const own = lamp(fresh('lamp'));
  const productId = String(own.productId);
  const key = encodeItem(keyAttributes(world.app.table, keyOf(product, own)));
  const name = itemName(product.name, keyOf(product, own));
  /** All that it has been, tombstones left out. */
  const past: Fields[] = [];
  const writer = (ahead: number) => shop({ ...store, now: () => Date.now() + ahead * 1000 });

  /** As it lies in the table, tombstone or not. */
  async function held(): Promise<Fields | undefined> {
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName, Key: key, ConsistentRead: true }));
    return Item && decodeImage(Item);
  }

  async function live(): Promise<Fields | undefined> {
    const item = await held();
    return item?._removed === undefined ? item : undefined;
  }

  async function remember(write: Promise<unknown>): Promise<void> {
    await unlessRefused(write);
    const item = await live();
    if (item !== undefined) past.push(item);
  }

  const put = (item: Fields) =>
    remember(dynamodb.send(new PutItemCommand({ TableName, Item: encodeItem(item) })));

  return {
    name,
    past,
    held,
    live,
    /** Through Sluice, by a writer whose clock is ahead by so many seconds. */
    create: (price = 20, ahead = 0) => remember(writer(ahead).addProduct({ ...own, price } as Product, by())),
    async update(price: number, ahead = 0) {
      const version = Number((await live())?.version);
      if (!Number.isNaN(version))
        await remember(writer(ahead).updateProduct(productId, version, { price }, by()));
    },
    restock: () => remember(writer(0).restockProduct(productId, 1, by())),
    remove: (ahead = 0) => remember(writer(ahead).removeProduct(productId, by())),
    /** Past Sluice: what is put is all there is then. */
    put,
    /** Past Sluice, where there is a lamp. */
    async edit(fields: Fields) {
      const item = await live();
      if (item !== undefined) await put({ ...item, ...fields });
    },
    /** Past Sluice, as one that Sluice never saw. */
    putUnversioned: (price: number) =>
      put({ ...own, ...keyAttributes(world.app.table, keyOf(product, own)), _type: product.name, price }),
    async drop() {
      await dynamodb.send(new DeleteItemCommand({ TableName, Key: key }));
    },
    /** Whoever reads now fills the place's cache. */
    async read(place: Place) {
      for (const read of readsOf(store, product, own))
        await readThrough({ port: place.cache, now: store.now, ...read });
    },
    /** Search shows what the table has, and the cache holds nothing else. */
    async expectTruthIn(place: Place) {
      const item = await live();
      const shown = await place.shown(product, name);
      expect(shown?.source).toEqual(item && declared(item));
      // A write that alters nothing of the document leaves the version that it has.
      if (item?.version !== undefined) expect(shown?.version).toBeLessThanOrEqual(Number(item.version));
      for (const { key, read } of readsOf(store, product, own)) {
        const found = await place.cache.peek(key);
        if (found !== undefined) expect(found, key).toBe(toText(await read()));
      }
    },
  };
}

/** Search shows of a product what is declared. */
function declared(item: Fields): Fields {
  return Object.fromEntries(Object.keys(product.schema.shape).map((field) => [field, item[field]]));
}

/** A write that the lamp's state does not allow is no step of its history. */
async function unlessRefused(write: Promise<unknown>): Promise<void> {
  await write.catch((error) => {
    if (!(error instanceof WriteError) || error.name === 'Unknown') throw error;
  });
}
