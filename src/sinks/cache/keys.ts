/** The cache keys that a change makes void: those of the item as it was and as it is. */
import type { Change } from '../../table/change.ts';
import type { CacheKey, Entity, Fields } from '../../table/entity.ts';

export function voidedKeys(change: Change): string[] {
  const sides = [change.before, change.after].filter((side) => side !== undefined);
  return [...new Set(sides.flatMap((side) => keysOf(change.entity, side).map(keyText)))];
}

/** The keys of an item as it lies in the table; none where it is gone. */
export function keyTexts(entity: Entity, item: Fields | undefined): string[] {
  return item === undefined ? [] : keysOf(entity, item).map(keyText);
}

export function keyText(key: CacheKey): string {
  return typeof key === 'string' ? key : key.key;
}

/** An item that does not fit its entity may still show its keys; where it cannot, there are none to clear. */
function keysOf(entity: Entity, item: Fields): readonly CacheKey[] {
  if (entity.cache === undefined) return [];
  if ('item' in entity.parse(item)) return entity.cache(item);
  try {
    return entity.cache(item);
  } catch {
    return [];
  }
}
