/** Compares every sink with the table and its stream, item by item. */
import { rowTag } from '../../mail/ses.ts';
import type { PublishedEvent } from '../../sinks/bus/event.ts';
import type { Home } from '../home.ts';
import { compareAudit } from '../proof/audit.ts';
import { compareBus } from '../proof/bus.ts';
import { compareCache, type ReadsOf } from '../proof/cache.ts';
import { compareEmail } from '../proof/email.ts';
import type { Finding } from '../proof/finding.ts';
import { compareSearch } from '../proof/search.ts';
import { readTruth, scan } from '../proof/truth.ts';

export type Comparison = Finding & { items: number; sinks: number; parked: number };

export async function compareAll(home: Home, readsOf: ReadsOf, repeatsAllowed: boolean): Promise<Comparison> {
  const { app, store, streams, streamArns, connections, services } = home;
  const { config, dynamodb, search, cache } = connections;
  const { items, changes, misfits } = await readTruth(app, store, streams, streamArns.table);
  const mail = services.sentMail().map(({ tags, to }) => ({ tag: tags[rowTag], to }));
  const events = services.publishedEvents().map(({ detail }) => detail as PublishedEvent);
  const findings = [
    ...(search ? [await compareSearch(search, config.SLUICE_SEARCH_PREFIX, store, items)] : []),
    ...(cache ? [await compareCache(cache, store, changes, readsOf)] : []),
    await compareAudit(dynamodb, config.SLUICE_AUDIT_TABLE, [...changes, ...misfits]),
    compareEmail(mail, changes),
    compareBus(events, changes, repeatsAllowed),
  ];
  return {
    items: new Set(changes.map(({ item }) => item)).size,
    sinks: findings.length,
    parked: (await scan(dynamodb, config.SLUICE_DELIVERIES_TABLE)).length,
    missing: findings.flatMap(({ missing }) => missing),
    stale: findings.flatMap(({ stale }) => stale),
    doubled: findings.flatMap(({ doubled }) => doubled),
  };
}
