import { type Action, readActions, readJson } from './actions.ts';
import { describeError, SearchError } from './error.ts';
import type { Indices } from './indices.ts';
import { isObject, type JsonObject } from './json.ts';
import { type Write, write } from './write.ts';

/** `_bulk`: what is wrong with the request fails it whole and before anything is applied, the rest per item. */
export function bulk(
  indices: Indices,
  { defaultIndex, requireAlias }: BulkOptions,
  body: string,
  now: number,
) {
  refuseTooLarge(body);
  const actions = readActions(body, defaultIndex);
  const items = actions.map((action) => {
    // The real server does not ask it of removals.
    const refused = requireAlias && action.name === 'index' && !indices.aliases.has(action.index);
    return { [action.name]: refused ? notAnAlias(action) : apply(indices, action, now) };
  });
  const errors = items.some((item) => Object.values(item).some((outcome) => 'error' in outcome));
  return { took: 1, errors, items };
}

/** A tenth of a heap of 512 MB (indexing_pressure.memory.limit). */
const MOST_BYTES = 51_897_958;

/** More than the server ever holds of requests under way is refused as if it were busy. */
function refuseTooLarge(body: string): void {
  const bytes = Buffer.byteLength(body);
  if (bytes <= MOST_BYTES) return;
  const reason = `rejected execution of coordinating operation [coordinating_and_primary_bytes=0, replica_bytes=0, all_bytes=0, coordinating_operation_bytes=${bytes}, max_coordinating_and_primary_bytes=${MOST_BYTES}]`;
  throw new SearchError(429, 'rejected_execution_exception', reason);
}

type BulkOptions = { defaultIndex: string | undefined; requireAlias: boolean };

function notAnAlias({ index, id }: Action) {
  const reason = `no such index [${index}] and [require_alias] request flag is [true] and [${index}] is not an alias`;
  return {
    _index: index,
    _id: id,
    status: 404,
    error: { type: 'index_not_found_exception', reason, index, index_uuid: '_na_' },
  };
}

function apply(indices: Indices, { name, index, id, versioning, source }: Action, now: number) {
  try {
    const found = indices.writtenTo(index);
    const change: Write = { id, versioning, source: name === 'index' ? readSource(source) : undefined };
    const { id: _id, version: _version, result, seqNo, status } = write(found, change, now);
    const _shards = { total: 1, successful: 1, failed: 0 };
    return { _index: found.name, _id, _version, result, _shards, _seq_no: seqNo, _primary_term: 1, status };
  } catch (error) {
    if (!(error instanceof SearchError)) throw error;
    return { _index: index, _id: id, status: error.status, error: describeError(error) };
  }
}

function readSource(line: string): JsonObject {
  const source = readJson(line);
  if (isObject(source)) return source;
  throw new SearchError(400, 'mapper_parsing_exception', 'failed to parse', {
    causedBy: { type: 'json_parse_exception', reason: 'the source is not a JSON object' },
  });
}
