/** The write side's front door: everything that may change an item. */
import type { Entity, Fields } from '../entity.ts';
import { WriteError } from '../errors.ts';
import { keyOf } from '../keys.ts';
import { getImage } from '../read.ts';
import { type By, epochSeconds, type Store } from '../store.ts';
import { type Found, readStored } from '../stored.ts';
import { type Amounts, planAddition } from './add.ts';
import { answerFromFound, type Created, create, createdNow, planCreation, versionFound } from './create.ts';
import { remove } from './remove.ts';
import { inputHash } from './stamps.ts';
import { transact } from './transact.ts';
import { type Changes, mustBeLive, update } from './update.ts';

/** One addition inside a transaction. */
export type Addition = { entity: Entity; key: Fields; amounts: Readonly<Record<string, number>> };

export type Writer = ReturnType<typeof writer>;

export function writer(store: Store) {
  return {
    /** Creates an item, or answers from what an equal request made. `input`: what repeats are compared by. */
    create: <Item extends Fields>(
      entity: Entity<Item>,
      item: Item,
      by: By,
      input?: unknown,
    ): Promise<Created<Item>> => create(store, entity, item, by, input),

    /** What an equal request would be answered from the item that lies there; `undefined` where none does. */
    async answer<Item extends Fields>(
      entity: Entity<Item>,
      key: Fields,
      by: By,
      input: unknown,
    ): Promise<Created<Item> | undefined> {
      const image = await getImage(store, keyOf(entity, key));
      if (image === undefined) return undefined;
      const answer = answerFromFound(store, { entity, by, input: inputHash(input) }, image);
      return answer === 'older' ? undefined : answer;
    },

    /** Changes fields of the item that is at `version`. */
    update: <Item extends Fields>(
      entity: Entity<Item>,
      key: Fields,
      version: number,
      changes: Changes<Item>,
      by: By,
    ): Promise<Found<Item>> => update(store, entity, key, version, changes, by),

    /** Adds to number fields, atomically; none goes below zero. */
    async add<Item extends Fields>(
      entity: Entity<Item>,
      key: Fields,
      amounts: Amounts<Item>,
      by: By,
    ): Promise<void> {
      const Update = planAddition(store, entity, key, amounts, by);
      const failed = await transact(store, `Add to ${entity.name}`, [{ Update }]);
      if (failed !== undefined) throw refusedAddition(store, entity, failed.found);
    },

    remove: (entity: Entity, key: Fields, by: By, version?: number): Promise<void> =>
      remove(store, entity, key, by, version),

    /** Creates one item and adds to others, all or nothing: an order and the stock of its products. */
    async createWith<Item extends Fields>(
      entity: Entity<Item>,
      item: Item,
      additions: readonly Addition[],
      by: By,
      input: unknown = item,
    ): Promise<Created<Item>> {
      for (let after = 0; ; ) {
        const creation = planCreation(store, entity, item, by, input, after);
        const updates = additions.map(({ entity: other, key, amounts }) => ({
          Update: planAddition(store, other, key, amounts, by),
        }));
        const failed = await transact(store, `Create ${entity.name}`, [{ Put: creation.put }, ...updates]);
        if (failed === undefined) return createdNow(creation);
        const addition = additions[failed.index - 1];
        if (addition !== undefined) throw refusedAddition(store, addition.entity, failed.found);
        const answer = answerFromFound(store, creation, failed.found);
        if (answer !== 'older') return answer;
        after = versionFound(store, failed.found);
      }
    },
  };
}

function refusedAddition(
  store: Store,
  entity: Entity,
  image: Parameters<typeof readStored>[1] | undefined,
): WriteError {
  const what = `Add to ${entity.name}`;
  try {
    mustBeLive(what, image && readStored(store.table, image, epochSeconds(store)));
  } catch (error) {
    if (error instanceof WriteError) return error;
    throw error;
  }
  return new WriteError('GuardFailed', `${what}: there is not enough left.`);
}
