/**
 * Others write too. An item that carried our version and was changed past Sluice is given a newer one, so that
 * every later replay of an older record is known to be older.
 */
import { ConditionalCheckFailedException, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { decodeAttribute, encodeItem } from './attributes.ts';
import type { Change } from './change.ts';
import { expression } from './expression.ts';
import { keyAttributes } from './keys.ts';
import { firstVersion, type Store } from './store.ts';

/** Whether the change left an item that carried our version, but cannot be trusted to carry the right one. */
export function isAdoptable(change: Change): boolean {
  return change.inexact !== undefined && change.after !== undefined && change.versionBefore !== undefined;
}

/** Writes the version if the item still is as the change left it; where it has moved on there is nothing to do. */
export async function adopt(store: Store, change: Change): Promise<void> {
  const { table } = store;
  const seen = change.images.after?.[table.version]; // as it is, also where it is no version at all
  const build = expression();
  const version = build.name(table.version);
  const asSeen =
    seen === undefined
      ? `attribute_not_exists(${version})`
      : `${version} = ${build.value(decodeAttribute(seen))}`;
  const condition = `attribute_exists(${build.name(table.pk)}) AND attribute_not_exists(${build.name(table.removed)}) AND ${asSeen}`;
  const next = firstVersion(store, Math.max(change.carried ?? 0, change.versionBefore ?? 0));
  const set: Record<string, unknown> = {
    [table.version]: next,
    [table.actor]: 'sluice',
    [table.reason]: `adopted: ${change.inexact}`,
    [table.request]: change.id,
  };
  const sets = Object.entries(set).map(([name, value]) => `${build.name(name)} = ${build.value(value)}`);
  const command = new UpdateItemCommand({
    TableName: store.tableName,
    Key: encodeItem(keyAttributes(table, change.key)),
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
