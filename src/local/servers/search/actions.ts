import { illegal, notValid, SearchError } from './error.ts';
import { isObject, type JsonObject } from './json.ts';
import type { Versioning } from './write.ts';

export type Action = {
  name: 'index' | 'delete';
  index: string;
  id: string | undefined;
  versioning: Versioning | undefined;
  /** The line after the action; a removal has none. */
  source: string;
};

/** The actions of a bulk request; what is wrong with any of them fails it whole. */
export function readActions(body: string, defaultIndex: string | undefined): Action[] {
  if (body === '') throw new SearchError(400, 'parse_exception', 'request body is required');
  if (!body.endsWith('\n')) throw illegal('The bulk request must be terminated by a newline [\\n]');
  const lines = body.slice(0, -1).split('\n');
  const actions: Action[] = [];
  for (let at = 0; at < lines.length; at++) {
    const action = readAction(lines[at] ?? '', at + 1, defaultIndex);
    if (action.name === 'index') {
      const source = lines[++at];
      if (source === undefined) throw illegal(`line [${at}] of the bulk request lacks a source after it`);
      action.source = source;
    }
    actions.push(action);
  }
  const problems = actions.flatMap(problemsOf);
  if (problems.length > 0) throw notValid(...problems);
  return actions;
}

const METADATA = ['_index', '_id', 'version', 'version_type'];

function readAction(line: string, number: number, defaultIndex: string | undefined): Action {
  const parsed = readJson(line);
  if (parsed === undefined)
    throw new SearchError(400, 'json_parse_exception', `line [${number}] is not JSON`);
  const [[name, metadata] = [], ...more] = isObject(parsed) ? Object.entries(parsed) : [];
  if (name === undefined || !isObject(metadata) || more.length > 0) {
    throw illegal(`Malformed action/metadata line [${number}], expected one action and its metadata`);
  }
  if (name !== 'index' && name !== 'delete') {
    throw illegal(`Malformed action/metadata line [${number}], [${name}] is not one of [index, delete]`);
  }
  const unknown = Object.keys(metadata).find((key) => !METADATA.includes(key));
  if (unknown !== undefined) {
    throw illegal(`Action/metadata line [${number}] contains an unknown parameter [${unknown}]`);
  }
  const { _index = defaultIndex, _id } = metadata;
  const versioning = readVersioning(metadata);
  return { name, index: String(_index ?? ''), id: textOf(_id), versioning, source: '' };
}

const textOf = (value: unknown): string | undefined =>
  value === undefined || value === null ? undefined : String(value);

function readVersioning({ version, version_type: type }: JsonObject): Versioning | undefined {
  if (version === undefined && type === undefined) return undefined;
  if (type !== 'external' && type !== 'external_gte') {
    throw notValid(
      'internal versioning can not be used for optimistic concurrency control. Please use `if_seq_no` and `if_primary_term` instead',
    );
  }
  const read = Math.trunc(Number(version));
  if (read < 2 ** 63) return { type, version: read };
  throw new SearchError(
    400,
    'input_coercion_exception',
    `Numeric value (${version}) out of range of \`long\``,
  );
}

function problemsOf({ name, index, id, versioning }: Action): string[] {
  const bytes = Buffer.byteLength(id ?? '');
  const problems: [boolean, string][] = [
    [index === '', 'index is missing'],
    [name === 'delete' && id === undefined, 'id is missing'],
    [bytes > 512, `id [${id}] is too long, must be no longer than 512 bytes but was: ${bytes}`],
    [
      versioning !== undefined && versioning.version < 0,
      `illegal version value [${versioning?.version}] for version type [${versioning?.type.toUpperCase()}]`,
    ],
    [versioning !== undefined && id === undefined, 'an id must be provided if version type or value are set'],
  ];
  return problems.filter(([found]) => found).map(([, problem]) => problem);
}

export function readJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
