import { type Action, readActions, readJson } from './actions.ts';
import { describeError, SearchError } from './error.ts';
import type { Indices } from './indices.ts';
import { isObject, type JsonObject } from './json.ts';
import { type Write, write } from './write.ts';

/** `_bulk`: what is wrong with the request fails it whole and before anything is applied, the rest per item. */
export function bulk(indices: Indices, defaultIndex: string | undefined, body: string, now: number) {
  const actions = readActions(body, defaultIndex);
  const items = actions.map((action) => ({ [action.name]: apply(indices, action, now) }));
  const errors = items.some((item) => Object.values(item).some((outcome) => 'error' in outcome));
  return { took: 1, errors, items };
}

function apply(indices: Indices, { name, index, id, versioning, source }: Action, now: number) {
  try {
    const found = indices.indexOf(index);
    const change: Write = { id, versioning, source: name === 'index' ? readSource(source) : undefined };
    const { id: _id, version: _version, result, seqNo, status } = write(found, change, now);
    const _shards = { total: 1, successful: 1, failed: 0 };
    return { _index: index, _id, _version, result, _shards, _seq_no: seqNo, _primary_term: 1, status };
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
