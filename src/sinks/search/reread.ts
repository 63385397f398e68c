/** Re-reads items whose change cannot be trusted, and turns what they are now into documents. */
import { adopt, isAdoptable } from '../../table/adopt.ts';
import { decodeImage, type Image } from '../../table/attributes.ts';
import type { Change } from '../../table/change.ts';
import { getImages } from '../../table/read.ts';
import { epochSeconds, type Store } from '../../table/store.ts';
import { readStored } from '../../table/stored.ts';
import { documentOf, removedMark, type SearchRequest } from './plan.ts';

type Reread = SearchRequest & { kind: 'reread' };
export type DocumentRequest = SearchRequest & { kind: 'document' };

/**
 * First gives changed items a version again, then reads them: one answer per request, in order, a document or why
 * there is none. The clock is read before the items, so that a version taken from it is no later than they are.
 */
export async function resolve(
  store: Store,
  requests: readonly Reread[],
): Promise<(DocumentRequest | Error)[]> {
  if (requests.length === 0) return [];
  const adopted = await Promise.allSettled(
    requests.map(({ change }) => isAdoptable(change) && adopt(store, change)),
  );
  const clock = store.now() * 1000;
  const keys = new Map(requests.map(({ change }) => [change.item, change.key]));
  const images = await getImages(store, [...keys.values()]);
  const byKey = new Map(images.map((image) => [keyText(store, image), image]));
  return requests.map((request, index) => {
    const adoption = adopted[index];
    if (adoption?.status === 'rejected') return new Error(`no version could be given: ${adoption.reason}`);
    const { pk, sk } = request.change.key;
    const now = present(store, request.change, byKey.get(JSON.stringify([pk, sk])), clock);
    return now instanceof Error ? now : { ...request, ...now, kind: 'document' };
  });
}

type Present = Pick<DocumentRequest, 'version' | 'document'>;

function present(store: Store, change: Change, image: Image | undefined, clock: number): Present | Error {
  const gone = removedMark(change.occurredAt);
  if (image === undefined) return { version: change.version, document: gone };
  const stored = readStored(store.table, image, epochSeconds(store));
  const version = stored.version ?? clock;
  if (!stored.live) return { version: Math.max(version, change.version), document: gone };
  const parsed = change.entity.parse(stored.fields);
  if ('misfit' in parsed)
    return new Error(`the item does not fit ${change.entity.name} any more: ${parsed.misfit}`);
  const expiry = stored.fields[store.table.ttl];
  return {
    version,
    document: documentOf(change.entity, parsed.item, typeof expiry === 'number' ? expiry : undefined),
  };
}

function keyText(store: Store, image: Image): string {
  const fields = decodeImage({
    pk: image[store.table.pk] ?? { NULL: true },
    sk: image[store.table.sk] ?? { NULL: true },
  });
  return JSON.stringify([fields.pk, fields.sk]);
}
