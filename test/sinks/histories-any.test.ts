/** Any history at all, and items that change hands. */
import fc from 'fast-check';
import { test } from 'vitest';
import { openHistories } from './histories.ts';
import type { Lamp } from './lamps.ts';

const { lamp: newLamp, place, newRecords, settle, expectAllWell } = await openHistories();

type Step = (lamp: Lamp) => Promise<unknown>;

/** Any step at all; one that the lamp's state does not allow does nothing. */
const anyStep: fc.Arbitrary<Step> = fc
  .record({
    kind: fc.constantFrom(
      'create',
      'update',
      'restock',
      'remove',
      'edit',
      'unversion',
      'unversioned',
      'putBack',
      'drop',
      'read',
    ),
    ahead: fc.integer({ min: -3, max: 3 }),
    price: fc.integer({ min: 1, max: 99 }),
    nth: fc.nat(5),
  })
  .map(({ kind, ahead, price, nth }) => {
    const steps: Record<typeof kind, Step> = {
      create: (lamp) => lamp.create(price, ahead),
      update: (lamp) => lamp.update(price, ahead),
      restock: (lamp) => lamp.restock(),
      remove: (lamp) => lamp.remove(ahead),
      edit: (lamp) => lamp.edit({ price }),
      unversion: (lamp) => lamp.edit({ price, version: undefined }),
      unversioned: (lamp) => lamp.putUnversioned(price),
      read: (lamp) => lamp.read(place),
      async putBack(lamp) {
        const old = lamp.past[nth % Math.max(1, lamp.past.length)];
        if (old !== undefined) await lamp.put(nth % 2 === 0 ? old : { ...old, price });
      },
      // A tombstone is nobody's to delete: what is made after it might have a lower version.
      async drop(lamp) {
        if ((await lamp.live()) !== undefined) await lamp.drop();
      },
    };
    return steps[kind];
  });

const histories = fc.record({
  steps: fc.array(anyStep, { minLength: 2, maxLength: 9 }),
  /** After which of the steps all is taken that the stream shows. */
  taken: fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
  /** Where each record goes, twice: by these numbers they are sorted. */
  places: fc.array(fc.tuple(fc.nat(999), fc.nat(999)), { minLength: 60, maxLength: 60 }),
  batch: fc.integer({ min: 1, max: 5 }),
});

test('shuffled, repeated and cut into batches, any history ends as it must', async () => {
  await fc.assert(
    fc.asyncProperty(histories, async ({ steps, taken, places, batch }) => {
      const lamp = newLamp();
      const records = [];
      for (const [index, step] of steps.entries()) {
        await step(lamp);
        if (taken[index]) records.push(...(await settle()));
      }
      records.push(...(await newRecords()));
      const shuffled = records
        .flatMap((record, index) => (places[index] ?? [0, 0]).map((place) => ({ record, place })))
        .sort((one, other) => one.place - other.place)
        .map(({ record }) => record);
      for (let start = 0; start < shuffled.length; start += batch)
        await place.take(shuffled.slice(start, start + batch));
      records.push(...(await settle()));
      await expectAllWell(lamp, records);
    }),
    { numRuns: 30 },
  );
}, 120_000);
