/**
 * Search against the table: every live item has its document at its version, one without a version under any, and
 * nothing else is to be found.
 */
import type { Client } from '@opensearch-project/opensearch';
import type { App } from '../../pipeline/app.ts';
import { namesOf } from '../../sinks/search/names.ts';
import { documentOf, marks } from '../../sinks/search/plan.ts';
import type { Fields } from '../../table/entity.ts';
import type { Table } from '../../table/table.ts';
import { differing, type Finding, nothing } from './finding.ts';
import type { TrueItem, Truth } from './truth.ts';

type Held = { item: string; version: number; document: Fields };
type Expected = { version: number | undefined; document: Fields };
type Index = { client: Client; prefix: string; app: App };

const pageSize = 1_000;

/** `replayed`: items that the table never had, and a replay has brought. */
export async function compareSearch(
  { client, prefix, app }: Index,
  truth: Truth,
  replayed: ReadonlySet<string> = new Set(),
): Promise<Finding> {
  const finding = nothing();
  const held = new Map<string, Held>();
  for (const name of new Set(app.entities.flatMap(({ search }) => search?.index ?? []))) {
    const { total, documents } = await documentsIn(client, namesOf(prefix, name).read);
    for (const one of documents) held.set(`${name}/${one.item}`, one);
    // What does not bear the name of its item falls out of the pages.
    if (documents.length < total)
      finding.missing.push(
        `search has ${total} documents in ${name}, of which only ${documents.length} were compared`,
      );
  }
  for (const one of truth.items) {
    if (one.entity.search === undefined) continue;
    const place = `${one.entity.search.index}/${one.item}`;
    const expected = expectedOf(one, app.table, truth);
    if (expected === undefined) continue;
    compareDocument(finding, one.item, held.get(place), expected);
    held.delete(place);
  }
  for (const [place, { item, document }] of held) {
    if (replayed.has(item)) finding.replayed += 1;
    else if (document[marks.removedAt] === undefined)
      finding.stale.push(`search still shows ${place}, which is gone`);
  }
  return finding;
}

function compareDocument(finding: Finding, item: string, found: Held | undefined, expected: Expected): void {
  if (found === undefined) {
    finding.missing.push(`search has no document of ${item}`);
    return;
  }
  const { version = found.version, document } = expected;
  const wrong = differing(found.document, document);
  // A change that alters nothing of the document leaves the version that it has.
  if (found.version > version)
    finding.stale.push(`search has ${item} at version ${found.version}, above ${version}`);
  else if (wrong.length > 0) finding.stale.push(`search has another ${wrong.join(', ')} of ${item}`);
}

/**
 * What search must show of an item, if anything. One that does not fit its entity any more is parked, and search
 * goes on to show the newest version that did fit, until a person acts.
 */
function expectedOf(
  { item, entity, stored }: TrueItem,
  table: Table,
  { changes, logged }: Truth,
): Expected | undefined {
  if (!stored.live) return undefined;
  const ofItem = (change: { item: string }) => change.item === item;
  const parsed = entity.parse(stored.fields);
  const isRefused = logged.findLast(ofItem)?.misfit !== undefined;
  if ('item' in parsed && !isRefused) {
    const expiry = stored.fields[table.ttl];
    const document = documentOf(entity, parsed.item, typeof expiry === 'number' ? expiry : undefined);
    return { version: stored.version, document };
  }
  const fitting = changes.findLast(ofItem);
  if (fitting?.after === undefined) return undefined;
  const version = fitting.inexact === undefined ? fitting.version : undefined;
  return { version, document: documentOf(entity, fitting.after, fitting.expiresAt) };
}

/** The documents of an index, removed ones too, and how many there are. */
async function documentsIn(client: Client, index: string): Promise<{ total: number; documents: Held[] }> {
  await client.indices.refresh({ index });
  const documents: Held[] = [];
  for (let after: unknown[] | undefined; ; ) {
    const query = {
      query: { match_all: {} },
      sort: [{ [marks.item]: 'asc' as const }],
      size: pageSize,
      // Without it a sort of everything leaves out documents that lack the field.
      track_total_hits: true,
      version: true,
      ...(after && { search_after: after as string[] }),
    };
    const { total, hits } = (await client.search({ index, body: query })).body.hits;
    for (const { _id: item = '', _version: version = 0, _source } of hits) {
      const { [marks.item]: _, ...document } = (_source ?? {}) as Fields;
      documents.push({ item, version, document });
    }
    after = hits.at(-1)?.sort;
    if (after === undefined)
      return { total: typeof total === 'number' ? total : (total?.value ?? 0), documents };
  }
}
