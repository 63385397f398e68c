/** A sink of an app's own stands beside the engine's five. */
import { afterAll, expect, test } from 'vitest';
import { writer } from '../../src/table/write/writer.ts';
import { by } from '../support/shop.ts';
import { itemOf } from './item.ts';
import { openOther } from './kit.ts';
import { app, screen } from './library/app.ts';
import { copy } from './library/copy.ts';
import { shelved } from './library/desk.ts';

const world = await openOther(app);
afterAll(() => world.stop());

test('it gets what it plans of each change, in the order of the item, and is counted', async () => {
  const write = writer(world.store);
  await write.create(copy, shelved(1), by());
  await write.add(copy, shelved(1), { lent: 1 }, by());
  await write.remove(copy, shelved(1), by());
  await world.settle();
  const { name } = itemOf(world, copy, shelved(1));
  expect(screen.filter(({ item }) => item === name).map(({ text }) => text)).toEqual([
    'CopyAdded',
    'CopyLent',
    'CopyWithdrawn',
  ]);
  const applied = world.batches.map(({ sinks }) => sinks.lobby?.applied ?? 0);
  expect(applied.reduce((sum, count) => sum + count, 0)).toBe(3);
});
