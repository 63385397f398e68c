/** The conditions of every write but a creation: there, not removed, not expired, with a version of ours. */
import type { Expression } from '../expression.ts';
import { epochSeconds, type Store } from '../store.ts';

export function isLive(store: Store, build: Expression): string {
  const { table } = store;
  return [
    `attribute_exists(${build.name(table.version)})`,
    `attribute_exists(${build.name(table.request)})`,
    `attribute_not_exists(${build.name(table.removed)})`,
    // Also true where there is none, or one that is no number: DynamoDB never removes such an item.
    `NOT (${build.name(table.ttl)} <= ${build.value(epochSeconds(store))})`,
  ].join(' AND ');
}
