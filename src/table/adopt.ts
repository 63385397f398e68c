/**
 * Others write too. An item that was changed past Sluice is given a version, so that every later replay of an older
 * record is known to be older.
 */
import { ConditionalCheckFailedException, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { decodeAttribute, encodeItem } from './attributes.ts';
import { type Change, type Key, othersVersion } from './change.ts';
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

/** Whether the change left an item that lacks the right version, and that Sluice may give one to. */
export function isAdoptable({ inexact, after, carried, versionBefore, entity }: Change): boolean {
  if (inexact === undefined || inexact === othersVersion || after === undefined) return false;
  return entity.adopt === 'all' || (carried ?? versionBefore) !== undefined;
}

/** What the reason of an adoption begins with. */
const adopted = 'adopted: ';

/** The change is Sluice's own: it gave the item a version, and altered nothing else. */
export function isAdoption({ reason }: Change): boolean {
  return reason?.startsWith(adopted) === true;
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

/** Writes the version if the item still is as it was seen. Says whether it was; what has moved on needs nothing. */
export async function adopt(store: Store, { key, seen, above, why, request }: Adoption): Promise<boolean> {
  const { table } = store;
  const next = firstVersion(store, above);
  if (!Number.isSafeInteger(next)) throw new Error(`its version ${above} cannot grow`);
  const build = expression();
  const version = build.name(table.version);
  // A version that is not ours is never overwritten, whatever has become of the item since it was seen.
  const asSeen =
    seen === undefined
      ? `attribute_not_exists(${version})`
      : `${version} = ${build.value(decodeAttribute(seen))} AND attribute_exists(${build.name(table.request)})`;
  const condition = `attribute_exists(${build.name(table.pk)}) AND attribute_not_exists(${build.name(table.removed)}) AND ${asSeen}`;
  const set: Record<string, unknown> = {
    [table.version]: next,
    [table.actor]: 'sluice',
    [table.reason]: `${adopted}${why}`,
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
    return true;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return false;
  }
}
