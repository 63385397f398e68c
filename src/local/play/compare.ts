/** Compares every sink with the table and its stream, item by item. */

import { decisionKinds } from '../../deliveries/decision.ts';
import { holdKey } from '../../deliveries/rows.ts';
import { decodeImage, type Image } from '../../table/attributes.ts';
import type { Fields } from '../../table/entity.ts';
import type { Home } from '../home.ts';
import { compareAudit, replayedItems } from '../proof/audit.ts';
import { compareBus } from '../proof/bus.ts';
import { compareCache, type ReadsOf } from '../proof/cache.ts';
import { type Caused, compareCaused } from '../proof/caused.ts';
import { compareEmail } from '../proof/email.ts';
import { type Finding, joined } from '../proof/finding.ts';
import { compareParked } from '../proof/parked.ts';
import { compareSearch } from '../proof/search.ts';
import { readTruth, scan } from '../proof/truth.ts';

export type Comparison = Finding & { items: number; sinks: number; parked: number };

/** How many records, changes and items are parked; a hold over changes counts with them. */
function parkedIn(images: readonly Image[]): number {
  const rows = images.map((image) => decodeImage(image));
  const isView = ({ sk, entity }: Fields) => sk === holdKey && entity !== undefined;
  return rows.filter((row) => (row.hash !== undefined ? row.part === undefined : isView(row))).length;
}

/** `caused`: what all that has happened must have caused, where it was counted. */
export async function compareAll(
  home: Home,
  readsOf: ReadsOf,
  repeatsAllowed: boolean,
  caused?: Caused,
): Promise<Comparison> {
  const { app, store, streams, streamArns, connections, services } = home;
  const { config, dynamodb, search, cache } = connections;
  const truth = await readTruth(app, store, streams, streamArns.table);
  const { changes, logged } = truth;
  const trail = await scan(dynamodb, config.SLUICE_AUDIT_TABLE);
  // What a person has decided stands in the trail too, and is no change.
  const decided: readonly string[] = decisionKinds;
  const audit = trail.filter(({ kind }) => !decided.includes(String(Object(kind).S)));
  const outbox = await scan(dynamodb, config.SLUICE_OUTBOX_TABLE);
  const deliveries = await scan(dynamodb, config.SLUICE_DELIVERIES_TABLE);
  const [mails, events] = [services.sentMail(), services.publishedEvents()];
  const index = search && { client: search, prefix: config.SLUICE_SEARCH_PREFIX, app };
  const sinks = [
    ...(index ? [await compareSearch(index, truth, replayedItems(audit, logged))] : []),
    ...(cache ? [await compareCache(cache, store, changes, readsOf)] : []),
    compareAudit(app.table, audit, logged),
    compareEmail({ mails, outbox, changes, sender: config.SLUICE_SENDER }),
    compareBus(events, changes, config.SLUICE_EVENT_SOURCE, { repeats: repeatsAllowed }),
  ];
  const others = [
    compareParked(app, deliveries, truth),
    ...(caused ? [compareCaused(caused, { changes, events, mails, outbox })] : []),
  ];
  return {
    items: new Set(changes.map(({ item }) => item)).size,
    sinks: sinks.length,
    parked: parkedIn(deliveries),
    ...joined([...sinks, ...others]),
  };
}
