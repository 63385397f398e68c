/** Re-reads items whose change cannot be trusted, and turns what they are now into documents. */
import { whatWasThrown } from '../../pipeline/thrown.ts';
import { adopt } from '../../table/adopt.ts';
import { decodeImage, type Image } from '../../table/attributes.ts';
import { getImages } from '../../table/read.ts';
import { epochSeconds, type Store } from '../../table/store.ts';
import { readStored } from '../../table/stored.ts';
import { documentOf, removedMark, type SearchRequest, type Seen } from './plan.ts';

/** The item cannot be shown as it is: no other try will change that. */
export class Unfit extends Error {
  override name = 'Unfit';
}

type Reread = SearchRequest & { kind: 'reread' };
export type DocumentRequest = SearchRequest & {
  kind: 'document';
  /** The item is known to have been further than this: a lower version was put back past Sluice. */
  passed?: number;
};

/** The version under which the index holds each of these, by id. */
export type HeldVersions = (requests: readonly SearchRequest[]) => Promise<ReadonlyMap<string, number>>;

/**
 * Reads the items again: one answer per request, in order, a document or why there is none. The clock and the index
 * are read before the items, so that a version taken from them is no later than they are.
 */
export async function resolve(
  store: Store,
  requests: readonly Reread[],
  heldVersions: HeldVersions,
): Promise<(DocumentRequest | Error)[]> {
  if (requests.length === 0) return [];
  const clock = store.now() * 1000;
  const held = await heldVersions(requests);
  const found = await imagesOf(store, requests).catch(toError);
  return requests.map((request) => {
    if (found instanceof Error) return found;
    const { pk, sk } = request.key;
    const passed = passedBy(request);
    const versions = {
      gone: Math.max(request.version, passed + 1),
      unversioned: Math.max(clock, passed + 1, (held.get(request.id) ?? 0) + 1),
    };
    const now = present(store, request, found.get(JSON.stringify([pk, sk])), versions);
    return now instanceof Error ? now : { ...request, ...now, kind: 'document', passed };
  });
}

function passedBy({ changes }: Reread): number {
  return Math.max(0, ...changes.map(({ versionBefore }) => versionBefore ?? 0));
}

/**
 * The index holds something newer than these documents, or the item has been further. That is as it should be,
 * unless the table still has an item at that very version: then it was put back past Sluice. It is given a version
 * above all of them, and the record of that brings it into the index. Gives those for which that failed.
 */
export async function adoptOvertaken(
  store: Store,
  documents: readonly DocumentRequest[],
  heldVersions: HeldVersions,
): Promise<ReadonlyMap<DocumentRequest, Error>> {
  const failed = new Map<DocumentRequest, Error>();
  if (documents.length === 0) return failed;
  const found = await imagesOf(store, documents);
  const seenOf = ({ key: { pk, sk }, version }: DocumentRequest) => {
    const image = found.get(JSON.stringify([pk, sk]));
    const stored = image && readStored(store.table, image, epochSeconds(store));
    return stored?.version === version ? image?.[store.table.version] : undefined;
  };
  const putBack = documents.filter((document) => seenOf(document) !== undefined);
  if (putBack.length === 0) return failed;
  const held = await heldVersions(putBack);
  for (const document of putBack) {
    const { key, id, version, passed = 0 } = document;
    const above = Math.max(version, passed, held.get(id) ?? 0);
    const why = 'put back past Sluice with an older version';
    await adopt(store, { key, seen: seenOf(document), above, why, request: id }).catch((error) =>
      failed.set(document, toError(error)),
    );
  }
  return failed;
}

async function imagesOf(store: Store, requests: readonly SearchRequest[]): Promise<Map<string, Image>> {
  const keys = new Map(requests.map(({ id, key }) => [id, key]));
  const images = await getImages(store, [...keys.values()]);
  return new Map(images.map((image) => [keyText(store, image), image]));
}

type Present = Pick<DocumentRequest, 'version' | 'document'>;

function present(
  store: Store,
  request: Reread,
  image: Image | undefined,
  versions: { gone: number; unversioned: number },
): Present | Error {
  const { entity, occurredAt, carried, versionBefore } = newestOf(request);
  const gone = removedMark(occurredAt);
  if (image === undefined) {
    // The documents of an item without a version stand under the clock, and so must the mark that is to cover them.
    const versioned = (carried ?? versionBefore) !== undefined;
    return {
      version: versioned ? versions.gone : Math.max(versions.gone, versions.unversioned),
      document: gone,
    };
  }
  const stored = readStored(store.table, image, epochSeconds(store));
  const version = stored.version ?? versions.unversioned;
  if (!stored.live) return { version: Math.max(version, versions.gone), document: gone };
  const parsed = entity.parse(stored.fields);
  if ('misfit' in parsed) return new Unfit(`the item does not fit ${entity.name} any more: ${parsed.misfit}`);
  const expiry = stored.fields[store.table.ttl];
  try {
    return {
      version,
      document: documentOf(entity, parsed.item, typeof expiry === 'number' ? expiry : undefined),
    };
  } catch (error) {
    return new Unfit(`no document could be made: ${whatWasThrown(error)}`);
  }
}

function newestOf({ changes }: Reread): Seen {
  return changes.at(-1) as Seen; // a request is made of one change, and only ever gains others
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
