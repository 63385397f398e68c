/**
 * Purging: the marks of removed documents go once no record can come any more that they would have to stop. Each is
 * deleted under the version that it was found with, so that whatever was written since is newer, and stays.
 */
import type { Client } from '@opensearch-project/opensearch';
import type { Purged } from '../../pipeline/sink.ts';
import type { Entity, Fields } from '../../table/entity.ts';
import { daySeconds, longestReplayDays, retentionDays } from '../../table/retention.ts';
import { abortable } from './bulk.ts';
import { searched } from './indices.ts';
import { namesOf } from './names.ts';
import { marks } from './plan.ts';

type Marked = { id: string; version: number; document: Fields };
type Target = { client: Client; prefix: string; now: number; signal: AbortSignal };

const pageSize = 500;

/**
 * What is as old as this is never indexed as it was, but read again: a mark that would stop it may be purged. The
 * days between this and the purge are for clocks that differ, and for what is under way.
 */
export function mayBePurged(occurredAt: string, now: number): boolean {
  return Date.parse(occurredAt) < now - longestReplayDays * daySeconds * 1_000;
}

export async function purgeMarks(target: Target, entities: readonly Entity[]): Promise<Purged> {
  const before = new Date(target.now - retentionDays.deletedMarks * daySeconds * 1_000).toISOString();
  const result: Purged = { purged: 0, left: 0 };
  for (const { search } of searched(entities)) {
    const { read, write } = namesOf(target.prefix, search.index);
    for await (const found of marked(target, read, before)) {
      const { purged, left } = await purge(target, write, found);
      result.purged += purged;
      result.left += left;
    }
  }
  return result;
}

/** The marks in an index, page by page: all of them, or those of before a time. */
export async function* marked(
  { client, signal }: Pick<Target, 'client' | 'signal'>,
  index: string,
  before?: string,
): AsyncGenerator<Marked[]> {
  const field = marks.removedAt;
  let after: unknown[] | undefined;
  do {
    const query = {
      query: before === undefined ? { exists: { field } } : { range: { [field]: { lt: before } } },
      sort: [{ [marks.item]: 'asc' as const }],
      size: pageSize,
      track_total_hits: true,
      version: true,
      ...(after && { search_after: after as string[] }),
    };
    const { body } = await abortable(() => client.search({ index, body: query }), signal);
    const { hits } = body.hits;
    after = hits.length === pageSize ? hits.at(-1)?.sort : undefined;
    if (hits.length > 0)
      yield hits.map(({ _id = '', _version = 0, _source }) => ({
        id: _id,
        version: _version,
        document: (_source ?? {}) as Fields,
      }));
  } while (after !== undefined);
}

/** Where something newer stands by now there is nothing to purge. */
async function purge({ client, signal }: Target, index: string, found: readonly Marked[]): Promise<Purged> {
  const operations = found.map(({ id, version }) => ({
    delete: { _index: index, _id: id, version, version_type: 'external_gte' as const },
  }));
  const { body } = await abortable(() => client.bulk({ body: operations }), signal);
  const count = (...statuses: number[]) =>
    body.items.filter((item) => statuses.includes(item.delete?.status ?? 0)).length;
  return { purged: count(200), left: found.length - count(200, 404, 409) };
}
