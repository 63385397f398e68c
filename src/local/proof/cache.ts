/** Cache against the table: whatever is held is what a fresh read gives. */
import type { CachePort } from '../../sinks/cache/port.ts';
import { toText } from '../../sinks/cache/read.ts';
import type { Change } from '../../table/change.ts';
import type { Entity, Fields } from '../../table/entity.ts';
import type { Store } from '../../table/store.ts';
import { type Finding, nothing } from './finding.ts';

/** The cached reads that an item can be seen through; the application knows them. */
export type ReadsOf = (
  store: Store,
  entity: Entity,
  item: Fields,
) => { key: string; read(): Promise<unknown> }[];

export async function compareCache(
  port: CachePort,
  store: Store,
  changes: readonly Change[],
  readsOf: ReadsOf,
): Promise<Finding> {
  const finding = nothing();
  const sides = changes.flatMap(({ entity, before, after }) =>
    [before, after].flatMap((item) => (item === undefined ? [] : readsOf(store, entity, item))),
  );
  for (const [key, { read }] of new Map(sides.map((one) => [one.key, one]))) {
    const held = await port.peek(key);
    if (held === undefined) continue;
    // What cannot be read any more, such as an item that does not fit, must not be held either.
    const fresh = await read().catch(() => undefined);
    if (fresh === undefined || toText(fresh) !== held) finding.stale.push(`the cache holds an older ${key}`);
  }
  return finding;
}
