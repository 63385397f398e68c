/** One item everywhere: the table, the audit trail, search, cache, mail and the bus. */
import { rowsOfItem } from '../../mail/outbox.ts';
import { historyOf } from '../../sinks/audit/history.ts';
import type { PublishedEvent } from '../../sinks/bus/event.ts';
import { marks } from '../../sinks/search/plan.ts';
import { itemName } from '../../table/change.ts';
import { getStored } from '../../table/read.ts';
import type { Home } from '../home.ts';
import type { ReadsOf } from '../proof/cache.ts';
import { readTruth, type Truth } from '../proof/truth.ts';
import { plain } from './plain.ts';

/** `item`: its name, as the lines show it. */
export async function trace(home: Home, readsOf: ReadsOf, item: string): Promise<string[]> {
  const { app, store, streams, streamArns } = home;
  const truth = await readTruth(app, store, streams, streamArns.table);
  const last = truth.changes.findLast((change) => change.item === item);
  if (last === undefined) return [`There is no change of ${plain(item)}.`];
  const stored = await getStored(store, last.key);
  const state = stored === undefined ? 'gone' : stored.live ? 'live' : 'removed';
  return [
    plain(item),
    `  table   ${state}${stored?.version === undefined ? '' : `, version ${stored.version}`}`,
    ...(await auditLines(home, item)),
    ...(await searchLines(home, item, last.entity.search?.index)),
    ...(await cacheLines(home, truth, readsOf, item)),
    ...(await mailLines(home, item)),
    ...busLines(home, item),
  ];
}

async function auditLines({ connections }: Home, item: string): Promise<string[]> {
  const rows = (await historyOf(connections, item, 100)) as Record<string, unknown>[];
  return rows.map(({ version, kind, actor, reason, inexact }) => {
    const why = [actor && `by ${actor}`, reason, inexact].filter(Boolean).join(', ');
    return `  audit   ${version} ${kind}${why === '' ? '' : ` (${plain(why)})`}`;
  });
}

async function searchLines({ connections }: Home, item: string, name: string | undefined): Promise<string[]> {
  const { search, config } = connections;
  if (search === undefined || name === undefined) return [];
  const { body } = await search.mget({
    index: `${config.SLUICE_SEARCH_PREFIX}${name}`,
    body: { ids: [item] },
  });
  const [found] = body.docs as { _version?: number; _source?: Record<string, unknown> }[];
  if (found?._source === undefined) return ['  search  no document'];
  const removed = found._source[marks.removedAt] === undefined ? '' : ', marked removed';
  return [`  search  version ${found._version}${removed}`];
}

async function cacheLines(home: Home, truth: Truth, readsOf: ReadsOf, item: string): Promise<string[]> {
  const changes = truth.changes.filter((change) => change.item === item);
  const sides = changes.flatMap(({ before, after, entity }) =>
    [before, after].flatMap((fields) => (fields === undefined ? [] : readsOf(home.store, entity, fields))),
  );
  const keys = [...new Set(sides.map(({ key }) => key))];
  const held = await Promise.all(keys.map((key) => home.connections.cache?.peek(key)));
  return keys.map((key, index) => `  cache   ${plain(key)}: ${held[index] === undefined ? 'empty' : 'held'}`);
}

async function mailLines({ connections }: Home, item: string): Promise<string[]> {
  const rows = await rowsOfItem(connections, item);
  return rows.map(
    ({ email, state, refusal }) => `  email   ${email}: ${state}${refusal ? ` (${plain(refusal)})` : ''}`,
  );
}

function busLines({ services }: Home, item: string): string[] {
  const events = services.publishedEvents().filter(({ detail }) => {
    const { meta } = detail as PublishedEvent;
    return itemName(meta.entity, meta.key) === item;
  });
  const times = new Map<string, number>();
  for (const event of events) times.set(event['detail-type'], (times.get(event['detail-type']) ?? 0) + 1);
  return [...times].map(([name, count]) => `  bus     ${name}${count === 1 ? '' : `, ${count} times`}`);
}
