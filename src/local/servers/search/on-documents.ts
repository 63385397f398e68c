import { bulk } from './bulk.ts';
import { describeError, notValid, SearchError } from './error.ts';
import type { Index, Indices } from './indices.ts';
import { type JsonObject, listOf, objectOf, onlyKnown } from './json.ts';
import { type Handle, ok, readBody } from './reply.ts';

export const applyBulk: Handle = (indices, request, { index }, now) =>
  ok(
    bulk(
      indices,
      { defaultIndex: index || undefined, requireAlias: request.query.get('require_alias') === 'true' },
      request.body,
      now,
    ),
  );

export const getDocument: Handle = (indices, _request, { index, id }) => {
  const body = documentOf(indices.readFrom(index), id);
  return { status: body.found ? 200 : 404, body };
};

export const getMany: Handle = (indices, request, names) => {
  const body = readBody(request);
  onlyKnown(body, ['docs', 'ids'], '');
  const wanted = [
    ...listOf(body.docs).map((one) => objectOf(one, 'docs')),
    ...listOf(body.ids).map((_id) => ({ _id })),
  ];
  if (wanted.length === 0) throw notValid('no documents to get');
  return ok({ docs: wanted.map((one) => getOne(indices, one, names.index)) });
};

function getOne(indices: Indices, wanted: JsonObject, defaultIndex: string): object {
  onlyKnown(wanted, ['_index', '_id'], 'docs');
  const { _index = defaultIndex, _id } = wanted;
  try {
    return documentOf(indices.readFrom(String(_index)), String(_id));
  } catch (error) {
    if (!(error instanceof SearchError)) throw error;
    return { _index, _id, error: { root_cause: [describeError(error)], ...describeError(error) } };
  }
}

function documentOf(index: Index, id: string) {
  const stored = index.documents.get(id);
  if (stored === undefined) return { _index: index.name, _id: id, found: false };
  const { version: _version, seqNo: _seq_no, source: _source } = stored;
  return { _index: index.name, _id: id, _version, _seq_no, _primary_term: 1, found: true, _source };
}
