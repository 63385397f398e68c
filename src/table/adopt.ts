/**
 * Others write too. An item that carried our version and was changed past Sluice is given a newer one, so that
 * every later replay of an older record is known to be older.
 */
import { ConditionalCheckFailedException, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { decodeAttribute, encodeItem } from './attributes.ts';
import type { Change, Key } from './change.ts';
import { expression } from './expression.ts';
import { keyAttributes } from './keys.ts';
import { firstVersion, type Store } from './store.ts';

/** An item to give a version to. */
export type Adoption = {
  key: Key;
  /** The version attribute as it was seen, also where it holds no version at all; `undefined` where there is none. */
  seen: unknown;
  /** The new version is above this one. */
  above: number;
  /** What goes into the item's stamps. */
  why: string;
  request: string;
};

/** Whether the change left an item that carried our version, but cannot be trusted to carry the right one. */
export function isAdoptable({ inexact, after, carried, versionBefore }: Change): boolean {
  return inexact !== undefined && after !== undefined && (carried ?? versionBefore) !== undefined;
}

export function adoptionOf(change: Change, { table }: Store): Adoption {
  return {
    key: change.key,
    seen: change.images.after?.[table.version],
    above: Math.max(change.carried ?? 0, change.versionBefore ?? 0),
    why: `${change.inexact}`,
    request: change.id,
  };
}

/** Writes the version if the item still is as it was seen; where it has moved on there is nothing to do. */
export async function adopt(store: Store, { key, seen, above, why, request }: Adoption): Promise<void> {
  const { table } = store;
  const build = expression();
  const version = build.name(table.version);
  const asSeen =
    seen === undefined
      ? `attribute_not_exists(${version})`
      : `${version} = ${build.value(decodeAttribute(seen))}`;
  const condition = `attribute_exists(${build.name(table.pk)}) AND attribute_not_exists(${build.name(table.removed)}) AND ${asSeen}`;
  const next = firstVersion(store, above);
  const set: Record<string, unknown> = {
    [table.version]: next,
    [table.actor]: 'sluice',
    [table.reason]: `adopted: ${why}`,
    [table.request]: request,
  };
  const sets = Object.entries(set).map(([name, value]) => `${build.name(name)} = ${build.value(value)}`);
  const command = new UpdateItemCommand({
    TableName: store.tableName,
    Key: encodeItem(keyAttributes(table, key)),
    UpdateExpression: `SET ${sets.join(', ')}`,
    ConditionExpression: condition,
    ...build.placeholders(),
  });
  try {
    await store.dynamodb.send(command);
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
