/** A real OpenSearch that forgets, dies in the midst of its work, and freezes. */
import { setTimeout as wait } from 'node:timers/promises';
import type { DynamoDBRecord } from 'aws-lambda';
import { afterAll, describe, expect, test } from 'vitest';
import type { SinkFactory } from '../../src/pipeline/sink.ts';
import { product } from '../../src/shop/entities/product.ts';
import type { DocumentRequest } from '../../src/sinks/search/reread.ts';
import { search } from '../../src/sinks/search/sink.ts';
import type { Fields } from '../../src/table/entity.ts';
import {
  hasOpenSearch,
  type OwnOpenSearch,
  startOwnOpenSearch,
  unlessOpenSearch,
} from '../servers/ownOpenSearch.ts';
import { eventOf } from '../support/records.ts';
import { fresh, history, lamp, nameOf, productAt, tombstone, version } from './items.ts';
import { allTaken, openWorld } from './world.ts';

const own = hasOpenSearch ? await startOwnOpenSearch() : undefined;
const world = await openWorld(undefined, own && { search: own.url });
afterAll(() => own?.stop());

const shown = (item: Fields) => world.document('products', nameOf(item));
const isParked = async (item: Fields) => (await world.hold('search', nameOf(item))) !== undefined;

describe.runIf(hasOpenSearch)(`a real OpenSearch${unlessOpenSearch}`, () => {
  const server = own as OwnOpenSearch;

  /** As the sink, save that a removed item is deleted instead of marked. */
  const deleting: SinkFactory = (context) => {
    const sink = search(context);
    if (sink === undefined) return undefined;
    return {
      ...sink,
      async send(requests, signal) {
        const [request] = requests as DocumentRequest[];
        if (request?.document.sluiceRemovedAt === undefined) return sink.send(requests, signal);
        const place = { _index: 'products-write', _id: request.id, version: request.version };
        await world.client.bulk({ body: [{ delete: { ...place, version_type: 'external_gte' } }] });
        return [{ state: 'applied' }];
      },
    };
  };

  /** An item that is made and removed; then `meanwhile`, and then the record of its making comes again, late. */
  async function removedThenLate(sink: SinkFactory, meanwhile: () => Promise<unknown>) {
    const form = productAt(1, lamp(fresh('lamp')));
    const records = history(undefined, form, tombstone(product, lamp(String(form.productId)), version(2)));
    const take = (record: DynamoDBRecord | undefined) =>
      world.takeBy({ sinks: [sink] }, 'project', eventOf(record as DynamoDBRecord));
    for (const record of records) expect(await take(record)).toEqual(allTaken);
    await meanwhile();
    expect(await take(records[0])).toEqual(allTaken);
    return (await shown(form))?.source;
  }

  const both = async (meanwhile: () => Promise<unknown>) => {
    const going = Promise.withResolvers<unknown>();
    let ready = 0;
    // What happens meanwhile happens to both at once.
    const together = async () => {
      ready += 1;
      if (ready === 2) await meanwhile().then(going.resolve, going.reject);
      await going.promise;
    };
    return Promise.all([search, deleting].map((sink) => removedThenLate(sink, together)));
  };

  test('does not bring a removed item back once it has forgotten what was deleted; after a plain delete it does', async () => {
    await world.client.indices.putSettings({ index: 'products-v1', body: { 'index.gc_deletes': '1s' } });
    const [marked, deleted] = await both(() => wait(3_000));
    expect(marked).toMatchObject({ sluiceRemovedAt: expect.any(String) });
    expect(deleted).toMatchObject({ name: 'Lamp' });
  });

  test('nor after a restart, which forgets at once', { timeout: 180_000 }, async () => {
    await world.client.indices.putSettings({ index: 'products-v1', body: { 'index.gc_deletes': '1h' } });
    const [marked, deleted] = await both(() => server.restart());
    expect(marked).toMatchObject({ sluiceRemovedAt: expect.any(String) });
    expect(deleted).toMatchObject({ name: 'Lamp' });
  });

  /** So many items that lie in the table, and the record of each. */
  async function made(count: number, description = 'Shines.') {
    const items = Array.from({ length: count }, () => productAt(1, lamp(fresh('lamp'), { description })));
    for (let start = 0; start < count; start += 50)
      await Promise.all(items.slice(start, start + 50).map((item) => world.put(item)));
    return items.map((item) => ({ item, record: history(undefined, item)[0] as DynamoDBRecord }));
  }

  async function redriveAll(items: readonly Fields[]) {
    for (let times = 0; times < 5; times++) {
      const parked = await Promise.all(items.map(isParked));
      if (!parked.includes(true)) return;
      world.clock.milliseconds += 3_600_000;
      await world.redrive();
    }
  }

  test('killed in the midst of a bulk has lost nothing that it took, and nothing else is forgotten', {
    timeout: 240_000,
  }, async () => {
    const count = 600;
    const all = await made(count, 'x'.repeat(8_000));
    const batches = Array.from({ length: 6 }, (_, index) => all.slice(index * 100, index * 100 + 100));
    let killed: Promise<void> | undefined;
    for (const [index, batch] of batches.entries()) {
      if (index === 3) killed = wait(25).then(() => server.kill());
      const answer = await world.take('project', eventOf(...batch.map(({ record }) => record)));
      expect(answer).toEqual(allTaken);
    }
    await killed;
    const items = all.map(({ item }) => item);
    const parked = await Promise.all(items.map(isParked));
    await server.start();
    const there = await Promise.all(items.map(shown));
    const taken = parked.filter((one) => !one).length;
    expect(taken).toBeGreaterThanOrEqual(300);
    expect(taken).toBeLessThan(count);
    const lost = items.filter((_, index) => !parked[index] && there[index]?.version !== version(1));
    expect(lost).toEqual([]);
    await redriveAll(items);
    expect(await Promise.all(items.map(async (item) => (await shown(item))?.version))).toEqual(
      items.map(() => version(1)),
    );
    const lay = there.filter((one) => one !== undefined).length;
    console.info(`killed: of ${count} documents ${taken} were acknowledged, and ${lay} lay there`);
  });

  test('frozen costs a batch its budget and no more; what was unknown ends as the item is', {
    timeout: 120_000,
  }, async () => {
    const all = await made(20);
    const items = all.map(({ item }) => item);
    world.config.SLUICE_SINK_SECONDS = '2';
    server.freeze();
    const start = performance.now();
    const answer = await world.take('project', eventOf(...all.map(({ record }) => record)));
    const took = performance.now() - start;
    expect(answer).toEqual(allTaken);
    expect(took).toBeGreaterThan(1_500);
    expect(took).toBeLessThan(8_000); // the client alone would give up after 15 s: three tries of 5 s
    expect(await Promise.all(items.map(isParked))).toEqual(items.map(() => true));
    // Each is changed while nobody knows what became of its first form.
    const newer = items.map((item) => productAt(2, lamp(String(item.productId), { price: 7 })));
    for (const item of newer) await world.put(item);
    server.thaw();
    await redriveAll(items);
    await wait(500); // for the first form, should the server take it up only now
    for (const item of newer)
      expect(await shown(item)).toMatchObject({ version: version(2), source: { price: 7 } });
    world.config.SLUICE_SINK_SECONDS = '10';
  });
});
