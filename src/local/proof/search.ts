/** Search against the table: every live item has its document at its version, and nothing else is to be found. */
import { isDeepStrictEqual } from 'node:util';
import type { Client } from '@opensearch-project/opensearch';
import { documentOf, marks } from '../../sinks/search/plan.ts';
import type { Fields } from '../../table/entity.ts';
import type { Store } from '../../table/store.ts';
import { type Finding, nothing } from './finding.ts';
import type { TrueItem } from './truth.ts';

type Held = { version: number; document: Fields };

export async function compareSearch(
  client: Client,
  prefix: string,
  store: Store,
  items: readonly TrueItem[],
): Promise<Finding> {
  const finding = nothing();
  const searched = items.filter(({ entity }) => entity.search !== undefined);
  const held = await documents(client, [
    ...new Set(searched.map(({ entity }) => `${prefix}${entity.search?.index}`)),
  ]);
  const live = new Map(searched.filter(({ stored }) => stored.live).map((one) => [one.item, one]));
  for (const [item, { entity, stored }] of live) {
    const found = held.get(item);
    const expiry = stored.fields[store.table.ttl];
    const parsed = entity.parse(stored.fields);
    if ('misfit' in parsed) continue; // refused and parked: search must not show it
    const expected = documentOf(entity, parsed.item, typeof expiry === 'number' ? expiry : undefined);
    if (found === undefined) finding.missing.push(`search has no document of ${item}`);
    else if (found.version !== stored.version) {
      finding.stale.push(`search has ${item} at version ${found.version}, the table at ${stored.version}`);
    } else if (!isDeepStrictEqual(found.document, expected))
      finding.stale.push(`search shows another content of ${item}`);
  }
  for (const [item, { document }] of held) {
    if (!live.has(item) && document[marks.removedAt] === undefined)
      finding.stale.push(`search still shows ${item}, which is gone`);
  }
  return finding;
}

/** All documents of the indices, removed ones too. */
async function documents(client: Client, indices: readonly string[]): Promise<Map<string, Held>> {
  const held = new Map<string, Held>();
  for (const index of indices) {
    await client.indices.refresh({ index });
    const found = await client.search({ index, body: { query: { match_all: {} }, size: 10_000 } });
    const ids = found.body.hits.hits.map(({ _id }) => _id ?? '');
    if (ids.length === 0) continue;
    const { body } = await client.mget({ index, body: { ids } });
    for (const one of body.docs) {
      const { _id, _version, _source } = one as { _id: string; _version?: number; _source?: Fields };
      held.set(_id, { version: _version ?? 0, document: _source ?? {} });
    }
  }
  return held;
}
