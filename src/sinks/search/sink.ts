/**
 * Search: whole documents by `_bulk`, version type `external_gte`, so that any order and any number of times ends
 * alike. A removal leaves a marked document: OpenSearch forgets a plain delete after 60 s, or at a restart, and a
 * late older write would bring the document back (index setting `index.gc_deletes`).
 */
import { chunk } from '../../pipeline/chunk.ts';
import type { Answer, Sink, SinkFactory } from '../../pipeline/sink.ts';
import { rights } from '../../rights.ts';
import type { Store } from '../../table/store.ts';
import { abortable, bulk, bytesOf, failed, serviceFailed, type Target } from './bulk.ts';
import { namesOf } from './names.ts';
import { isUnaffected, marks, newer, plan, reread, type SearchRequest } from './plan.ts';
import { mayBePurged, purgeMarks } from './purge.ts';
import { adoptOvertaken, type DocumentRequest, resolve, Unfit } from './reread.ts';

const limits = { count: 500, bytes: 5_000_000 };
const idBytes = 512; // OpenSearch takes no longer id, and refuses the whole request for one

export const search: SinkFactory = ({ connections, store, replay, late }) => {
  const client = connections.search;
  if (client === undefined) return undefined;
  const target = { client, store, prefix: connections.config.SLUICE_SEARCH_PREFIX };
  const sink: Sink<SearchRequest> = {
    name: 'search',
    kind: 'view',
    rights: {
      send: [
        ...rights('table', 'dynamodb:BatchGetItem', 'dynamodb:UpdateItem'),
        ...rights('secret/search', 'secretsmanager:GetSecretValue'),
      ],
    },
    after: 'adoption', // it reads items again, and shows them under the version that they have by then
    // A replay shows what was, under versions that the index may hold already: what the item is now is written. So it
    // is of what is so old that the mark of a later removal may be gone.
    plan: (change) =>
      replay || mayBePurged(change.occurredAt, connections.now()) ? reread(change) : plan(change),
    target: ({ index, id }) => `${index}/${id}`,
    newer,
    limits,
    // How large a document becomes that is not read yet, nobody knows: `send` counts again.
    size: (request) => (request.kind === 'document' ? bytesOf(target, request) : 1_000),
    isUnaffected: (change) => !replay && !late && isUnaffected(store.table, change),
    async recover({ entity, key, item, version, versioned, occurredAt }) {
      if (entity.search === undefined) return [];
      // Whatever it has been, it was below the version that is parked.
      const versions = versioned ? { carried: version, versionBefore: version - 1 } : unversioned;
      const seen = { entity, occurredAt, ...versions };
      return [{ kind: 'reread', index: entity.search.index, id: item, key, version, changes: [seen] }];
    },
    purge: (entities, signal) => purgeMarks({ ...target, now: connections.now(), signal }, entities),
    send: (requests, signal) => send({ ...target, signal }, requests),
  };
  return sink as Sink;
};

type Sending = Target & { store: Store };

const unversioned = { carried: undefined, versionBefore: undefined };

async function send(target: Sending, requests: SearchRequest[]): Promise<Answer[]> {
  const rereads = requests.filter((request) => request.kind === 'reread');
  const resolved = await resolve(target.store, rereads, (asked) => heldVersions(target, asked));
  const answers = new Map<SearchRequest, Answer>();
  const documents = new Map<SearchRequest, DocumentRequest>();
  for (const request of requests) {
    const document = request.kind === 'document' ? request : resolved[rereads.indexOf(request)];
    if (document === undefined || document instanceof Error)
      answers.set(
        request,
        document instanceof Unfit
          ? failed(document.message, false)
          : serviceFailed(document?.message ?? 'not read'),
      );
    else if (Buffer.byteLength(document.id) > idBytes)
      answers.set(request, failed(`its id is longer than ${idBytes} bytes`, false));
    else documents.set(request, document);
  }
  const sent: Answer[] = [];
  for (const part of chunk([...documents.values()], limits, (document) => bytesOf(target, document)))
    sent.push(...(await bulk(target, part)));
  const overtaken = [...documents.values()].filter(isOvertaken(sent));
  const held = (asked: readonly SearchRequest[]) => heldVersions(target, asked);
  const unadopted = await adoptOvertaken(target.store, overtaken, held).catch(
    (error: Error) => new Map(overtaken.map((document) => [document, error])),
  );
  [...documents].forEach(([request, document], index) => {
    const refusal = unadopted.get(document);
    if (refusal !== undefined)
      answers.set(request, serviceFailed(`no version could be given: ${refusal.message}`));
    else answers.set(request, sent[index] ?? failed('OpenSearch did not answer for it', true));
  });
  return requests.map((request) => answers.get(request) ?? failed('it was not sent', true));
}

function isOvertaken(answers: readonly Answer[]) {
  return ({ document, version, passed = 0 }: DocumentRequest, index: number) => {
    const isPassed = version <= passed || answers[index]?.state === 'superseded';
    return isPassed && document[marks.removedAt] === undefined;
  };
}

async function heldVersions(
  { client, prefix, signal }: Target,
  requests: readonly SearchRequest[],
): Promise<ReadonlyMap<string, number>> {
  // Versions are those of the index that is written to.
  const docs = requests.map(({ index, id }) => ({ _index: namesOf(prefix, index).write, _id: id }));
  const { body } = await abortable(() => client.mget({ body: { docs } }), signal);
  const found = body.docs as { _id: string; _version?: number }[];
  return new Map(found.flatMap(({ _id, _version }) => (_version === undefined ? [] : [[_id, _version]])));
}
