/**
 * What becomes of items that others had a hand in: whenever and in whatever order their changes are taken, search
 * shows what the table has, the cache holds nothing stale, and the audit trail has every change once.
 */
import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { openHistories } from './histories.ts';
import type { Lamp } from './lamps.ts';

const { lamp: newLamp, place, newRecords, settle, expectAllWell } = await openHistories();

type Step = (lamp: Lamp) => Promise<void>;

const hour = 3600;
const first = ({ past }: Lamp) => past[0] ?? {};
const latest = ({ past }: Lamp) => past.at(-1) ?? {};
const create =
  (ahead = 0): Step =>
  (lamp) =>
    lamp.create(1, ahead);
const update =
  (price: number): Step =>
  (lamp) =>
    lamp.update(price);
const edit =
  (price: number): Step =>
  (lamp) =>
    lamp.edit({ price });
const remove =
  (ahead = 0): Step =>
  (lamp) =>
    lamp.remove(ahead);
const drop: Step = (lamp) => lamp.drop();
const putBack =
  (price?: number): Step =>
  (lamp) =>
    lamp.put({ ...latest(lamp), ...(price && { price }) });
const putBackFirst: Step = (lamp) => lamp.put(first(lamp));

const stories: Record<string, Step[]> = {
  'a removal': [create(), update(2), remove()],
  'made again by a writer whose clock is behind': [create(5), update(2), remove(), create(-5), update(3)],
  'made again by a writer whose clock is ahead': [create(-5), update(2), remove(), create(5), update(3)],
  'removed by a writer whose clock is behind, and made again': [create(5), remove(-5), create(), remove(5)],
  'edited by others, its version left alone': [create(), edit(2), edit(3)],
  'edited by others, then written through Sluice': [create(), edit(2), update(3), edit(4)],
  'an older version put back by others': [create(), update(2), update(3), putBackFirst],
  'an older version put back over a removal': [create(), update(2), remove(), putBackFirst],
  'deleted by others': [create(), update(2), drop],
  'deleted by others and restored at once': [create(), update(2), drop, putBack()],
  'deleted by others and restored at once, with other content': [create(), update(2), drop, putBack(3)],
  'deleted by others and restored at once, as it was at its birth': [create(), drop, putBack()],
  'deleted by others and restored late': [create(-hour), drop, putBack()],
  'deleted by others and restored late, with other content': [create(-hour), edit(2), drop, putBackFirst],
  'deleted by others, made again by a writer whose clock is behind': [create(5), drop, create(-5), update(2)],
  'its version taken away by others': [create(), (lamp) => lamp.edit({ price: 2, version: undefined })],
  'never given a version': [(lamp) => lamp.putUnversioned(1), edit(2), edit(3)],
  'never given a version, and deleted': [(lamp) => lamp.putUnversioned(1), edit(2), drop],
  'never given a version, deleted, and made through Sluice by a clock that is behind': [
    (lamp) => lamp.putUnversioned(1),
    drop,
    create(-5),
    update(2),
  ],
  'made by a clock that is ahead, and replaced by one that has no version': [
    create(5),
    drop,
    (lamp) => lamp.putUnversioned(2),
    edit(3),
  ],
};

const shuffles: Record<string, (records: readonly DynamoDBRecord[]) => DynamoDBRecord[][]> = {
  'all at once': (records) => [[...records]],
  'one by one': (records) => records.map((record) => [record]),
  backwards: (records) => records.toReversed().map((record) => [record]),
  'backwards in one batch': (records) => [records.toReversed()],
  'the newest first, then all, then the oldest again': (records) => [
    records.slice(-1),
    [...records],
    records.slice(0, 2),
    records.slice(0, 1),
  ],
};

describe.each(Object.entries(stories))('%s', (_story, steps) => {
  test('taken as it happens', async () => {
    const lamp = newLamp();
    const records: DynamoDBRecord[] = [];
    for (const step of steps) {
      await step(lamp);
      records.push(...(await settle()));
      await lamp.expectTruthIn(place);
      await lamp.read(place);
    }
    expect(records.length).toBeGreaterThanOrEqual(steps.length);
    await expectAllWell(lamp, records);
  });

  test.each(Object.entries(shuffles))('taken later, %s', async (_order, batchesOf) => {
    const lamp = newLamp();
    for (const step of steps) {
      await step(lamp);
      await lamp.read(place);
    }
    const records = await newRecords();
    expect(records).toHaveLength(steps.length);
    for (const batch of batchesOf(records)) await place.take(batch);
    records.push(...(await settle()));
    await expectAllWell(lamp, records);
  });
});
