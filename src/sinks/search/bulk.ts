/** Documents by `_bulk`, and what each answer means: for one document, for the whole request, or for the service. */
import type { Client } from '@opensearch-project/opensearch';
import type { Answer } from '../../pipeline/sink.ts';
import { namesOf } from './names.ts';
import { marks } from './plan.ts';
import type { DocumentRequest } from './reread.ts';

type Written = Pick<DocumentRequest, 'index' | 'id' | 'version' | 'document'>;

export type Target = { client: Client; prefix: string; signal: AbortSignal };

/** One bad entry can refuse a whole request: then its halves are sent, until it stands alone. */
export async function bulk(target: Target, requests: readonly Written[]): Promise<Answer[]> {
  if (requests.length === 0) return [];
  try {
    const operations = requests.flatMap((request) => operation(target.prefix, request));
    const sent = () => target.client.bulk({ require_alias: true, body: operations });
    const { body } = await abortable(sent, target.signal);
    const items = body.items ?? [];
    return requests.map((_, index) => answerOf(items[index]?.index));
  } catch (error) {
    if (!isRefusedAsWhole(error)) throw error;
    if (requests.length === 1) return [failed(`refused with status ${statusOf(error)}`, false)];
    return inHalves(target, requests);
  }
}

/** What one half is answered holds, whatever becomes of the other. */
async function inHalves(target: Target, requests: readonly Written[]): Promise<Answer[]> {
  const middle = Math.ceil(requests.length / 2);
  const answers: Answer[] = [];
  for (const half of [requests.slice(0, middle), requests.slice(middle)]) {
    const unanswered = (error: Error) => half.map(() => serviceFailed(`${error.name}: ${error.message}`));
    answers.push(...(await bulk(target, half).catch(unanswered)));
  }
  return answers;
}

/** The client knows no signals: its own way to stop a request is called instead. */
export async function abortable<Reply>(
  begin: () => Promise<Reply> & { abort(): void },
  signal: AbortSignal,
): Promise<Reply> {
  signal.throwIfAborted();
  const request = begin();
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
export function bytesOf({ prefix }: Pick<Target, 'prefix'>, request: Written): number {
  const lines = operation(prefix, request).map((line) => `${JSON.stringify(line)}\n`);
  return Buffer.byteLength(lines.join(''));
}

function operation(prefix: string, { index, id, version, document }: Written) {
  const { write } = namesOf(prefix, index);
  return [
    { index: { _index: write, _id: id, version, version_type: 'external_gte' as const } },
    { ...document, [marks.item]: id },
  ];
}

/**
 * The whole request is refused for what is in it, and will be each time. Status 429 means that as well where the
 * request alone is more than the server ever takes at once; else it means to wait. Only the figures tell them apart.
 */
function isRefusedAsWhole(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== 429) return status === 400 || status === 413;
  const { reason = '' } = (error as { body?: { error?: { reason?: string } } }).body?.error ?? {};
  const [, bytes, most] =
    /coordinating_operation_bytes=(\d+), max_coordinating_and_primary_bytes=(\d+)/.exec(reason) ?? [];
  return Number(bytes) > Number(most);
}

type BulkItem = { status?: number; error?: { type?: string; reason?: string | null } };

function answerOf(item: BulkItem | undefined): Answer {
  const status = item?.status;
  if (status === undefined) return failed('OpenSearch did not answer for it', true);
  if (status < 300) return { state: 'applied' };
  if (status === 409) return { state: 'superseded' };
  // The reason can quote the field's value, which may be personal: the type says enough.
  const reason = `status ${status} ${item?.error?.type ?? ''}`.trim();
  return status >= 500 || [401, 403, 404, 429].includes(status) || isOfIndex(item?.error)
    ? serviceFailed(reason)
    : failed(reason, false);
}

/**
 * The index takes nothing as it is, whatever the document: it is closed, or its alias names two. A missing one
 * (status 404) is made one day, a write block (403) is lifted.
 */
function isOfIndex({ type, reason }: NonNullable<BulkItem['error']> = {}): boolean {
  return type === 'index_closed_exception' || reason?.startsWith('no write index is defined') === true;
}

function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number }).statusCode;
}

export function serviceFailed(reason: string): Answer {
  return { state: 'failed', reason, retryable: true, service: true };
}

export function failed(reason: string, retryable: boolean): Answer {
  return { state: 'failed', reason, retryable };
}
