/** Marks of removed documents: how long they stay, and that nothing comes back once they are gone. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { DynamoDBRecord } from 'aws-lambda';
import { beforeEach, expect, test } from 'vitest';
import { openRedrive } from '../../src/deliveries/handler.ts';
import { setPaused } from '../../src/deliveries/switches.ts';
import { product } from '../../src/shop/entities/product.ts';
import type { Fields } from '../../src/table/entity.ts';
import { daySeconds, longestReplayDays, retentionDays } from '../../src/table/retention.ts';
import { root } from '../support/processes.ts';
import { eventOf } from '../support/records.ts';
import { epoch, fresh, history, lamp, nameOf, productAt, tombstone, version } from './items.ts';
import { json } from './proxy.ts';
import { allTaken, openWorld } from './world.ts';

const world = await openWorld();
const day = daySeconds * 1_000;
const after = (days: number) => {
  world.clock.milliseconds = epoch + days * day;
};
beforeEach(() => after(0));

const shown = (item: Fields) => world.document('products', nameOf(item));
const take = async (...records: (DynamoDBRecord | undefined)[]) =>
  expect(await world.take('project', eventOf(...(records as DynamoDBRecord[])))).toEqual(allTaken);

/** An item that was made and removed, and the record of each. */
function removed() {
  const item = productAt(1, lamp(fresh('lamp')));
  return {
    item,
    records: history(undefined, item, tombstone(product, lamp(String(item.productId)), version(2))),
  };
}

const asked = (what: string) => world.proxies.search.seen.filter(({ path }) => path.includes(what)).length;

test('a mark goes once it is old enough, and a record from before it does not bring the item back', async () => {
  const { item, records } = removed();
  await take(...records);
  const redrive = openRedrive(world.app, world.connections);
  after(retentionDays.deletedMarks - 1);
  await redrive();
  expect(await shown(item)).toMatchObject({
    version: version(2),
    source: { sluiceRemovedAt: expect.any(String) },
  });
  after(retentionDays.deletedMarks + 1);
  await redrive();
  expect(await shown(item)).toBeUndefined();
  after(retentionDays.deletedMarks + 2); // the server itself has forgotten that it was deleted
  await take(records[0]);
  expect((await shown(item))?.source).not.toHaveProperty('name');
});

test('what is older than any replay is shown as the item is now, not as it was', async () => {
  const { item, records } = removed();
  const now = productAt(7, lamp(String(item.productId), { name: 'Lamp of today' }));
  await world.put(now);
  after(longestReplayDays - 1);
  await take(records[0]);
  expect(await shown(item)).toMatchObject({ version: version(1), source: { name: 'Lamp' } });
  after(longestReplayDays + 1);
  await take(records[0]);
  expect(await shown(item)).toMatchObject({ version: version(7), source: { name: 'Lamp of today' } });
});

test('redrive purges once a day, in whichever process', async () => {
  after(100);
  await openRedrive(world.app, world.connections)();
  const first = asked('_search');
  expect(first).toBeGreaterThan(0);
  const redrive = openRedrive(world.app, world.connections);
  await redrive();
  await redrive();
  expect(asked('_search')).toBe(first);
  after(101);
  await redrive();
  expect(asked('_search')).toBe(2 * first);
});

test('what could not be purged is tried again by the next run, and redrive goes on', async () => {
  after(200);
  const { item, records } = removed();
  await take(...records);
  const redrive = openRedrive(world.app, world.connections);
  world.proxies.search.conduct = () => json(503, {});
  expect(await redrive()).toMatchObject({ items: 0 });
  world.proxies.search.calm();
  await redrive();
  expect(await shown(item)).toBeUndefined();
});

test('a sink that is paused is left alone', async () => {
  after(300);
  await setPaused(world.connections, 'search', true, 'a test');
  const redrive = openRedrive(world.app, world.connections);
  await redrive();
  expect(asked('_search')).toBe(0);
  await setPaused(world.connections, 'search', false, 'a test');
  await redrive();
  expect(asked('_search')).toBeGreaterThan(0);
});

test('sluice purge does it by hand, and says how many', async () => {
  const mark = (id: string, days: number) => [
    { index: { _index: 'products-write', _id: id, version: 3, version_type: 'external_gte' as const } },
    { sluiceItem: id, sluiceRemovedAt: new Date(Date.now() - days * day).toISOString() },
  ];
  await world.client.bulk({ body: [...mark('old', 41), ...mark('older', 100), ...mark('recent', 39)] });
  const env = { ...process.env, SLUICE_SEARCH_ENDPOINT: world.proxies.search.url };
  const out = await new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'bin/sluice.js'), 'purge', '--aws'], { env }, (_error, text) =>
      resolve(text),
    );
  });
  expect(out).toMatch(
    /^search in the AWS account .*: 2 marks purged of what was removed more than 40 days ago\.$/m,
  );
  expect(await world.document('products', 'recent')).toBeDefined();
});
