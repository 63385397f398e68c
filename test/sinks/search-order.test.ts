import fc from 'fast-check';
import { expect, test } from 'vitest';
import { product } from '../../src/shop/entities/product.ts';
import type { Fields } from '../../src/table/entity.ts';
import { eventOf } from '../support/records.ts';
import { fresh, history, lamp, nameOf, productAt, tombstone, version } from './items.ts';
import { allTaken, openWorld } from './world.ts';

const world = await openWorld();

const shown = (item: Fields) => world.document('products', nameOf(item));
const bulks = () => world.proxies.search.seen.filter(({ path }) => path.startsWith('/_bulk'));

/** An item that was made, changed, changed, removed and made again, and the record of each. */
function life() {
  const id = fresh('lamp');
  const forms = [
    productAt(1, lamp(id, { name: 'Lamp' })),
    productAt(2, lamp(id, { name: 'Bright lamp' })),
    productAt(3, lamp(id, { name: 'Brightest lamp' })),
    tombstone(product, lamp(id), version(4)),
    productAt(5, lamp(id, { name: 'Lamp again' }), { born: version(5) }),
  ];
  return { item: forms[0] as Fields, forms, records: history(undefined, ...forms) };
}

test('a change is indexed whole, under the item’s own version', async () => {
  const { item, records } = life();
  expect(await world.take('project', eventOf(...records.slice(0, 1)))).toEqual(allTaken);
  expect(await shown(item)).toEqual({ version: version(1), source: lamp(String(item.productId)) });
});

test('an older change after a newer one changes nothing', async () => {
  const { item, records } = life();
  await world.take('project', eventOf(...records.slice(1, 2)));
  expect(await world.take('project', eventOf(...records.slice(0, 1)))).toEqual(allTaken);
  expect(await shown(item)).toMatchObject({ version: version(2), source: { name: 'Bright lamp' } });
  expect(world.batches.at(-1)?.sinks.search).toMatchObject({ applied: 0, superseded: 1, failed: 0 });
});

test('the same change twice is the same document', async () => {
  const { item, records } = life();
  await world.take('project', eventOf(...records.slice(0, 1)));
  const once = await shown(item);
  expect(await world.take('project', eventOf(...records.slice(0, 1)))).toEqual(allTaken);
  expect(await shown(item)).toEqual(once);
});

test('a removal leaves a mark without any field of the item, at a version of its own', async () => {
  const { item, records } = life();
  await world.take('project', eventOf(...records.slice(0, 4)));
  expect(await shown(item)).toEqual({
    version: version(4),
    source: { sluiceRemovedAt: '2027-01-15T08:00:00.000Z' },
  });
});

test('a late older write does not bring a removed item back', async () => {
  const { item, records } = life();
  await world.take('project', eventOf(...records.slice(3, 4)));
  for (const late of records.slice(0, 3)) await world.take('project', eventOf(late));
  expect((await shown(item))?.source).toEqual({ sluiceRemovedAt: '2027-01-15T08:00:00.000Z' });
});

test('an item made again is shown again, and what was before its removal stays away', async () => {
  const { item, records } = life();
  await world.take('project', eventOf(...records));
  for (const late of records.slice(0, 4)) await world.take('project', eventOf(late));
  expect(await shown(item)).toMatchObject({ version: version(5), source: { name: 'Lamp again' } });
});

test('of one item’s changes in a batch only the newest is sent, one operation each item', async () => {
  const [one, other] = [life(), life()];
  await world.take('project', eventOf(...one.records.slice(0, 3), ...other.records.slice(0, 2)));
  const lines = bulks().flatMap(({ body }) => body.trim().split('\n'));
  const operations = lines.filter((_, index) => index % 2 === 0).map((line) => JSON.parse(line).index);
  expect(operations).toEqual([
    { _index: 'products-write', _id: nameOf(one.item), version: version(3), version_type: 'external_gte' },
    { _index: 'products-write', _id: nameOf(other.item), version: version(2), version_type: 'external_gte' },
  ]);
  expect(world.batches.at(-1)?.sinks.search).toMatchObject({ applied: 2 });
});

test('a hundred changes cost one request', async () => {
  const records = Array.from({ length: 100 }, () => life().records[0]).filter((one) => one !== undefined);
  await world.take('project', eventOf(...records));
  expect(bulks()).toHaveLength(1);
});

test('in any order, any batches and any number of times it ends in the same state', async () => {
  const order = fc.array(fc.array(fc.nat(4), { minLength: 1, maxLength: 6 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(order, async (batches) => {
      const { item, forms, records } = life();
      for (const batch of batches)
        await world.take('project', eventOf(...batch.flatMap((index) => records[index] ?? [])));
      const newest = Math.max(-1, ...batches.flat());
      const form = forms[newest];
      const document = await shown(item);
      expect(document?.version).toBe(form && version(newest + 1));
      expect(document?.source.name).toBe(form?.name);
      expect('sluiceRemovedAt' in (document?.source ?? {})).toBe(newest === 3);
    }),
    { numRuns: 40 },
  );
});
