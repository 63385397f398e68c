/** Histories of items: what the real stream shows of them is taken by one place or another, in any order. */
import type { DynamoDBRecord } from 'aws-lambda';
import { expect } from 'vitest';
import type { Fields } from '../../src/table/entity.ts';
import { type Lamp, openLamp } from './lamps.ts';
import { openPlace } from './places.ts';
import { openStreamOf } from './stream.ts';
import { openWorld } from './world.ts';

/** More than any adoption needs: each one that a batch brings about is a record of its own. */
const mostRounds = 6;

export async function openHistories() {
  const world = await openWorld();
  world.clock.milliseconds = Date.now();
  const newRecords = await openStreamOf(world);
  /** One place takes the records as they come, however that is; the other one in order, when all is over. */
  const [place, straight] = [await openPlace(world, 'any'), await openPlace(world, 'straight')];

  /**
   * The ids of these records' changes. `twins` are those that two different changes share: others put an older
   * version back, and before it was adopted somebody wrote on under numbers that were used before.
   */
  function idsOf(records: readonly DynamoDBRecord[]): { all: string[]; twins: ReadonlySet<unknown> } {
    const images = new Map<string, Set<string>>();
    for (const record of records) {
      const decoded = world.app.decode(record);
      if (decoded.verdict !== 'change') continue;
      const { id, images: shown } = decoded.change;
      images.set(id, (images.get(id) ?? new Set()).add(JSON.stringify([shown.before, shown.after])));
    }
    const twins = [...images].flatMap(([id, different]) => (different.size > 1 ? [id] : []));
    return { all: [...images.keys()], twins: new Set(twins) };
  }

  return {
    world,
    place,
    newRecords,
    lamp: () => openLamp(world),

    /** The place takes what the stream shows until nothing more comes of it; returns all that it has shown. */
    async settle(): Promise<DynamoDBRecord[]> {
      const all: DynamoDBRecord[] = [];
      for (let round = 0; round < mostRounds; round++) {
        const records = await newRecords();
        if (records.length === 0) return all;
        all.push(...records);
        await place.take(records);
      }
      throw new Error(`After ${mostRounds} rounds the stream still shows something new.`);
    },

    /** However these were taken, all is as it must be; and no replay changes that, nor causes another write. */
    async expectAllWell(lamp: Lamp, records: readonly DynamoDBRecord[]): Promise<void> {
      await lamp.expectTruthIn(place);
      for (const record of records.toReversed()) await place.take([record]);
      for (const record of records) await straight.take([record]);
      expect(await newRecords()).toEqual([]);
      for (const one of [place, straight]) await lamp.expectTruthIn(one);
      const { all, twins } = idsOf(records);
      const [rows, inOrder] = [await place.auditRows(lamp.name), await straight.auditRows(lamp.name)];
      expect(rows.map(({ change }) => change).sort()).toEqual(all.sort());
      // Of two under one id the first is kept, and the other one is an alarm.
      const isSingle = ({ change }: Fields) => !twins.has(change);
      expect(rows.filter(isSingle)).toEqual(inOrder.filter(isSingle));
    },
  };
}
