/** Items that others changed past Sluice, on a real DynamoDB. */
import { DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { product } from '../../src/shop/entities/product.ts';
import { decodeImage, encodeItem } from '../../src/table/attributes.ts';
import type { Entity, Fields } from '../../src/table/entity.ts';
import { eventOf, recordOf } from '../support/records.ts';
import { epoch, fresh, lamp, nameOf, productAt, tombstone, version } from './items.ts';
import { towards } from './proxy.ts';
import { allTaken, nothing, openWorld } from './world.ts';

const world = await openWorld();
const TableName = world.config.SLUICE_TABLE;

const keyOf = ({ pk, sk }: Fields) => encodeItem({ pk, sk });
const put = (item: Fields) => world.dynamodb.send(new PutItemCommand({ TableName, Item: encodeItem(item) }));
const remove = (item: Fields) => world.dynamodb.send(new DeleteItemCommand({ TableName, Key: keyOf(item) }));
const holdOf = (item: Fields) => world.hold('search', nameOf(item));
/** Why search did not take something: in the report, and where it is parked. */
async function told(item: Fields): Promise<(string | undefined)[]> {
  const hold = await holdOf(item);
  const reported = world.batches.at(-1)?.failures.map(({ reason }) => reason) ?? [];
  return [...reported, hold?.reason, hold?.firstReason];
}
const shown = (item: Fields) => world.document('products', nameOf(item));

async function held(item: Fields): Promise<Fields> {
  const { Item } = await world.dynamodb.send(new GetItemCommand({ TableName, Key: keyOf(item) }));
  return decodeImage(Item ?? {});
}

/** Writes the item, and takes the record of it. */
async function change(before: Fields | undefined, after: Fields) {
  await put(after);
  return world.take('project', eventOf(recordOf({ before, after })));
}

function lampAt(at: number, fields: Fields = {}, stamps: Fields = {}) {
  const id = fresh('lamp');
  return { id, item: productAt(at, lamp(id, fields), { _born: version(at), ...stamps }) };
}

test('an item edited past Sluice is given a newer version, and a replay of what it was changes nothing', async () => {
  const { item } = lampAt(5);
  const edited = { ...item, price: 30 };
  await change(undefined, item);
  expect(await change(item, edited)).toEqual(allTaken);
  const adopted = await held(item);
  expect(adopted).toMatchObject({ price: 30, _actor: 'sluice' });
  expect(adopted.version).toBeGreaterThan(version(5));
  expect(await shown(item)).toMatchObject({ version: adopted.version, source: { price: 30 } });

  await world.take('project', eventOf(recordOf({ after: item })));
  await world.take('project', eventOf(recordOf({ before: item, after: edited })));
  expect(await shown(item)).toMatchObject({ version: adopted.version, source: { price: 30 } });
  expect(await held(item)).toEqual(adopted);
});

test('the record of the adoption itself is exact, and the next write builds on it', async () => {
  const { item } = lampAt(5);
  const edited = { ...item, price: 30 };
  await change(item, edited);
  const adopted = await held(item);
  const next = { ...adopted, price: 31, version: Number(adopted.version) + 1 };
  await world.take('project', eventOf(recordOf({ before: edited, after: adopted })));
  expect(world.batches.at(-1)?.inexact).toBe(0);
  await change(adopted, next);
  expect(await shown(item)).toMatchObject({ version: next.version, source: { price: 31 } });
});

test.each([
  ['turned back', { version: version(2) }],
  ['taken away', { version: undefined }],
])('an item whose version was %s is given a newer one', async (_what, stamps) => {
  const { item } = lampAt(5);
  await change(undefined, item);
  await change(item, { ...item, ...stamps, price: 30 });
  const adopted = await held(item);
  expect(adopted.version).toBeGreaterThan(version(5));
  expect(await shown(item)).toMatchObject({ version: adopted.version, source: { price: 30 } });
});

test('an item that moved on before its edit was taken is not adopted, and shows what it is now', async () => {
  const { item } = lampAt(5);
  const edited = { ...item, price: 30 };
  const moved = { ...edited, price: 40, version: version(6) };
  await put(moved);
  await world.take('project', eventOf(recordOf({ before: item, after: edited })));
  expect(await held(item)).toEqual(moved);
  expect(await shown(item)).toMatchObject({ version: version(6), source: { price: 40 } });
});

test('a plain delete leaves a mark, and a late older write does not bring the item back', async () => {
  const { item } = lampAt(5);
  await change(undefined, item);
  await remove(item);
  expect(await world.take('project', eventOf(recordOf({ before: item })))).toEqual(allTaken);
  const mark = { version: version(6), source: { sluiceRemovedAt: '2027-01-15T08:00:00.000Z' } };
  expect(await shown(item)).toEqual(mark);
  await world.take('project', eventOf(recordOf({ after: item })));
  expect(await shown(item)).toEqual(mark);
});

test.each(['in batches of their own', 'in one batch'])(
  'an item deleted and put back as it was long ago is shown again, and stays up to date: %s',
  async (how) => {
    const { item } = lampAt(5);
    const old = { ...item, price: 10, version: version(-1e10) };
    await change(undefined, item);
    const records = [recordOf({ before: item }), recordOf({ after: old })];
    await put(old);
    if (how === 'in one batch') await world.take('project', eventOf(...records));
    else for (const record of records) await world.take('project', eventOf(record));
    expect(await shown(item)).toMatchObject({ source: { price: 10 } });
    const restored = await held(item);
    await change(restored, { ...restored, price: 11, version: Number(restored.version) + 1 });
    expect(await shown(item)).toMatchObject({ source: { price: 11 } });
  },
);

test('an item deleted and put back at once, under the version it had, comes back to search', async () => {
  const { item } = lampAt(5);
  await change(undefined, item);
  await remove(item);
  await world.take('project', eventOf(recordOf({ before: item })));
  await change(undefined, item);
  const adopted = await held(item);
  expect(adopted.version).toBeGreaterThan(version(6));
  await world.take('project', eventOf(recordOf({ before: item, after: adopted })));
  expect(await shown(item)).toMatchObject({ version: adopted.version, source: { price: item.price } });
});

test('a late record that newer ones have passed costs its item no new version', async () => {
  const { item } = lampAt(5);
  const next = { ...item, price: 30, version: version(6) };
  await change(undefined, item);
  await change(item, next);
  await world.take('project', eventOf(recordOf({ after: item })));
  expect(await held(item)).toEqual(next);
});

test('an item that never had a version is shown as it is, and not written to', async () => {
  const id = fresh('lamp');
  const { version: _, _born, ...foreign } = productAt(1, lamp(id));
  await change(undefined, foreign);
  world.clock.milliseconds += 1_000;
  await change(foreign, { ...foreign, price: 30 });
  expect(await shown(foreign)).toMatchObject({ source: { price: 30 } });
  expect(await held(foreign)).toEqual({ ...foreign, price: 30 });
});

test('an item that never had a version and is deleted within the second is gone', async () => {
  const id = fresh('lamp');
  const { version: _, _born, ...foreign } = productAt(1, lamp(id));
  await change(undefined, foreign);
  await remove(foreign);
  world.clock.milliseconds += 1;
  await world.take('project', eventOf(recordOf({ before: foreign }, { seconds: epoch / 1000 })));
  expect(await shown(foreign)).toMatchObject({ source: { sluiceRemovedAt: expect.any(String) } });
});

test('where a tombstone lies by now, the mark has its version', async () => {
  const { id, item } = lampAt(5);
  await put(tombstone(product, lamp(id), version(7)));
  await world.take('project', eventOf(recordOf({ before: item, after: { ...item, price: 30 } })));
  expect(await shown(item)).toMatchObject({
    version: version(7),
    source: { sluiceRemovedAt: expect.any(String) },
  });
});

test('an item that does not fit its entity by now is parked as refused, alone', async () => {
  const [one, other] = [lampAt(5), lampAt(5)];
  await put({ ...one.item, price: 'much' });
  const spoilt = recordOf({ before: one.item, after: { ...one.item, price: 30 } });
  const fine = recordOf({ after: other.item });
  expect(await world.take('project', eventOf(fine, spoilt))).toEqual(allTaken);
  expect(await shown(other.item)).toMatchObject({ version: version(5) });
  expect(await holdOf(other.item)).toBeUndefined();
  expect(await holdOf(one.item)).toMatchObject({ state: 'refused', view: { versioned: true } });
  for (const reason of await told(one.item)) {
    expect(reason).toContain('does not fit Product any more');
    expect(reason).not.toContain('much');
  }
});

test('where the table cannot be read, only what must be read again is parked, and shown once it can', async () => {
  const [one, other] = [lampAt(5), lampAt(5)];
  const edited = recordOf({ before: one.item, after: { ...one.item, price: 30 } });
  const fine = recordOf({ after: other.item });
  await put({ ...one.item, price: 30 });
  world.proxies.dynamodb.conduct = towards(TableName, ({ operation }) =>
    operation === 'BatchGetItem' ? 'closed' : undefined,
  );
  expect(await world.take('project', eventOf(edited, fine))).toEqual(allTaken);
  expect(await shown(other.item)).toMatchObject({ version: version(5) });
  expect(await shown(one.item)).toBeUndefined();
  expect(world.batches.at(-1)?.sinks.search).toEqual({ ...nothing, applied: 1, waiting: 1 });
  expect(await holdOf(one.item)).toMatchObject({ state: 'waiting' });
  world.proxies.dynamodb.calm();
  await world.redrive();
  expect(await shown(one.item)).toMatchObject({ source: { price: 30 } });
  expect(await holdOf(one.item)).toBeUndefined();
});

test('an item of which no document can be made is parked as refused, alone, and what it holds is not told', async () => {
  const [one, other] = [lampAt(5), lampAt(5)];
  const entity: Entity = {
    ...product,
    search: {
      ...(product.search as NonNullable<Entity['search']>),
      document({ price, name }) {
        if (price === 30) throw new Error(`no document for ${name}`);
        return { name };
      },
    },
  };
  const edited = { ...one.item, price: 30 };
  await put(edited);
  const records = [recordOf({ before: one.item, after: edited }), recordOf({ after: other.item })];
  expect(await world.takeBy({ entities: [entity] }, 'project', eventOf(...records))).toEqual(allTaken);
  expect(await shown(other.item)).toMatchObject({ version: version(5) });
  expect(await holdOf(one.item)).toMatchObject({ state: 'refused' });
  for (const reason of await told(one.item)) {
    expect(reason).toMatch(/^no document could be made: Error at /);
    expect(reason).not.toContain('Lamp');
  }
});
