/** The write side's front door: everything that may change an item. */
import type { Entity, Fields } from '../entity.ts';
import { WriteError } from '../errors.ts';
import { keyOf } from '../keys.ts';
import { getImage } from '../read.ts';
import { type By, epochSeconds, type Store } from '../store.ts';
import { type Found, readStored } from '../stored.ts';
import { type Amounts, add, planAddition, refuse } from './add.ts';
import { answerFromFound, type Created, create, untilDecided } from './create.ts';
import { remove } from './remove.ts';
import { inputHash } from './stamps.ts';
import { transact } from './transact.ts';
import { type Changes, update } from './update.ts';

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
      return 'outcome' in answer ? answer : undefined;
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
    add: <Item extends Fields>(
      entity: Entity<Item>,
      key: Fields,
      amounts: Amounts<Item>,
      by: By,
    ): Promise<void> => add(store, entity, key, amounts, by),

    remove: (entity: Entity, key: Fields, by: By, version?: number): Promise<void> =>
      remove(store, entity, key, by, version),

    /** Creates one item and adds to others, all or nothing: an order and the stock of its products. */
    createWith<Item extends Fields>(
      entity: Entity<Item>,
      item: Item,
      additions: readonly Addition[],
      by: By,
      input: unknown = item,
    ): Promise<Created<Item>> {
      return untilDecided(store, entity, item, by, input, async ({ put }) => {
        const updates = additions.map((one) => ({
          Update: planAddition(store, one.entity, one.key, one.amounts, by),
        }));
        const failed = await transact(store, `Create ${entity.name}`, [{ Put: put }, ...updates]);
        if (failed === undefined) return 'created';
        const addition = additions[failed.index - 1];
        if (addition === undefined) return { found: failed.found };
        const found = failed.found && readStored(store.table, failed.found, epochSeconds(store));
        refuse(addition.entity, found, addition.amounts);
        throw new WriteError(
          'Busy',
          `Create ${entity.name}: others wrote meanwhile; nothing was written. Try again.`,
        );
      });
    },
  };
}
