/** Re-reads items whose change cannot be trusted, and turns what they are now into documents. */
import { whatWasThrown } from '../../pipeline/thrown.ts';
import { adopt, adoptionOf, isAdoptable } from '../../table/adopt.ts';
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
  const adopted = await Promise.allSettled(requests.map(({ changes }) => adoptAsLeft(store, changes)));
  const clock = store.now() * 1000;
  const found = await imagesOf(store, requests).catch(toError);
  return requests.map((request, index) => {
    const adoption = adopted[index];
    if (adoption?.status === 'rejected') return new Error(`no version could be given: ${adoption.reason}`);
    if (found instanceof Error) return found;
    const { pk, sk } = request.key;
    const now = present(store, request, found.get(JSON.stringify([pk, sk])), clock);
    return now instanceof Error ? now : { ...request, ...now, kind: 'document' };
  });
}

/** Only that change can be adopted which left the item as it is: which one that is, the condition finds out. */
async function adoptAsLeft(store: Store, changes: readonly Change[]): Promise<void> {
  for (const change of changes) if (isAdoptable(change)) await adopt(store, adoptionOf(change, store));
}

/**
 * The index held something newer than these documents. That is as it should be, unless the table still has an item
 * at that very version: then it was put back past Sluice, under a version that had gone further. It is given a newer
 * one, and the record of that brings it into the index.
 */
export async function adoptOvertaken(store: Store, documents: readonly DocumentRequest[]): Promise<void> {
  if (documents.length === 0) return;
  const found = await imagesOf(store, documents);
  for (const { key, id, version } of documents) {
    const image = found.get(JSON.stringify([key.pk, key.sk]));
    if (image === undefined || readStored(store.table, image, epochSeconds(store)).version !== version)
      continue;
    const why = 'put back past Sluice with an older version';
    await adopt(store, { key, seen: image[store.table.version], above: version, why, request: id });
  }
}

async function imagesOf(store: Store, requests: readonly SearchRequest[]): Promise<Map<string, Image>> {
  const keys = new Map(requests.map(({ id, key }) => [id, key]));
  const images = await getImages(store, [...keys.values()]);
  return new Map(images.map((image) => [keyText(store, image), image]));
}

type Present = Pick<DocumentRequest, 'version' | 'document'>;

function present(store: Store, request: Reread, image: Image | undefined, clock: number): Present | Error {
  const { entity, occurredAt, carried, versionBefore } = newestOf(request);
  const gone = removedMark(occurredAt);
  if (image === undefined) {
    // The documents of an item without a version stand under the clock, and so must the mark that is to cover them.
    const versioned = (carried ?? versionBefore) !== undefined;
    return { version: versioned ? request.version : Math.max(request.version, clock), document: gone };
  }
  const stored = readStored(store.table, image, epochSeconds(store));
  const version = stored.version ?? clock;
  if (!stored.live) return { version: Math.max(version, request.version), document: gone };
  const parsed = entity.parse(stored.fields);
  if ('misfit' in parsed) return new Error(`the item does not fit ${entity.name} any more: ${parsed.misfit}`);
  const expiry = stored.fields[store.table.ttl];
  try {
    return {
      version,
      document: documentOf(entity, parsed.item, typeof expiry === 'number' ? expiry : undefined),
    };
  } catch (error) {
    return new Error(`no document could be made: ${whatWasThrown(error)}`);
  }
}

function newestOf({ changes }: Reread): Change {
  return changes.at(-1) as Change; // a request is made of one change, and only ever gains others
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function keyText(store: Store, image: Image): string {
  const fields = decodeImage({
    pk: image[store.table.pk] ?? { NULL: true },
    sk: image[store.table.sk] ?? { NULL: true },
  });
  return JSON.stringify([fields.pk, fields.sk]);
}
