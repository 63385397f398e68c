/** How the library reads through the cache. */
import type { ReadsOf } from '../../../src/local/proof/cache.ts';
import { keyText } from '../../../src/sinks/cache/keys.ts';
import { query } from '../../../src/table/query.ts';
import { get } from '../../../src/table/read.ts';
import { hours } from './hours.ts';
import { loan } from './loan.ts';

export const readsOf: ReadsOf = (store, entity, item) => {
  const all = [
    { key: `loan:${item.loanId}`, read: () => get(store, loan, item) },
    { key: `reader:${item.reader}:loans`, read: () => query(store, loan, item) },
    { key: `hours:${item.branch}`, read: () => query(store, hours, item) },
  ];
  const keys = new Set((entity.cache?.(item) ?? []).map(keyText));
  return all.filter(({ key }) => keys.has(key));
};
