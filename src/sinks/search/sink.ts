/**
 * Search: whole documents by `_bulk`, version type `external_gte`, so that any order and any number of times ends
 * alike. A removal leaves a marked document: OpenSearch forgets a plain delete after 60 s, or at a restart, and a
 * late older write would bring the document back (index setting `index.gc_deletes`).
 */
import type { Client } from '@opensearch-project/opensearch';
import { chunk } from '../../pipeline/chunk.ts';
import type { Answer, Sink, SinkFactory } from '../../pipeline/sink.ts';
import { rights } from '../../rights.ts';
import type { Store } from '../../table/store.ts';
import { isUnaffected, marks, newer, plan, reread, type SearchRequest } from './plan.ts';
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
    // A replay shows what was, under versions that the index may hold already: what the item is now is written.
    plan: (change) => (replay ? reread(change) : plan(change)),
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
    send: (requests, signal) => send({ ...target, signal }, requests),
  };
  return sink as Sink;
};

type Target = { client: Client; store: Store; prefix: string; signal: AbortSignal };

const unversioned = { carried: undefined, versionBefore: undefined };

async function send(target: Target, requests: SearchRequest[]): Promise<Answer[]> {
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
  const docs = requests.map(({ index, id }) => ({ _index: `${prefix}${index}`, _id: id }));
  const { body } = await abortable(client.mget({ body: { docs } }), signal);
  const found = body.docs as { _id: string; _version?: number }[];
  return new Map(found.flatMap(({ _id, _version }) => (_version === undefined ? [] : [[_id, _version]])));
}

/** One bad entry can refuse a whole request (status 400 or 413): then its halves are sent, until it stands alone. */
async function bulk(target: Target, requests: DocumentRequest[]): Promise<Answer[]> {
  if (requests.length === 0) return [];
  try {
    const operations = requests.flatMap((request) => operation(target.prefix, request));
    const { body } = await abortable(target.client.bulk({ body: operations }), target.signal);
    const items = body.items ?? [];
    return requests.map((_, index) => answerOf(items[index]?.index));
  } catch (error) {
    const status = (error as { statusCode?: number }).statusCode;
    if (status !== 400 && status !== 413) throw error;
    if (requests.length === 1) return [failed(`refused with status ${status}`, false)];
    const half = Math.ceil(requests.length / 2);
    return [...(await bulk(target, requests.slice(0, half))), ...(await bulk(target, requests.slice(half)))];
  }
}

/** The client knows no signals: its own way to stop a request is called instead. */
async function abortable<Reply>(
  request: Promise<Reply> & { abort(): void },
  signal: AbortSignal,
): Promise<Reply> {
  const stop = () => {
    request.abort(); // gives the request itself, whose failure nobody would handle a second time
  };
  signal.addEventListener('abort', stop);
  try {
    return await request;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** What it takes of a bulk body, in UTF-8: two lines. */
function bytesOf({ prefix }: Pick<Target, 'prefix'>, request: DocumentRequest): number {
  const lines = operation(prefix, request).map((line) => `${JSON.stringify(line)}\n`);
  return Buffer.byteLength(lines.join(''));
}

function operation(prefix: string, { index, id, version, document }: DocumentRequest) {
  return [
    { index: { _index: `${prefix}${index}`, _id: id, version, version_type: 'external_gte' as const } },
    document,
  ];
}

type BulkItem = { status?: number; error?: { type?: string; reason?: string | null } };

function answerOf(item: BulkItem | undefined): Answer {
  const status = item?.status;
  if (status === undefined) return failed('OpenSearch did not answer for it', true);
  if (status < 300) return { state: 'applied' };
  if (status === 409) return { state: 'superseded' };
  // The reason can quote the field's value, which may be personal: the type says enough.
  const reason = `status ${status} ${item?.error?.type ?? ''}`.trim();
  // A missing index is made one day; until then nothing in it can be written.
  return status === 429 || status === 404 || status >= 500 ? serviceFailed(reason) : failed(reason, false);
}

function serviceFailed(reason: string): Answer {
  return { state: 'failed', reason, retryable: true, service: true };
}

function failed(reason: string, retryable: boolean): Answer {
  return { state: 'failed', reason, retryable };
}
