import { randomBytes } from 'node:crypto';
import { createAliases } from './aliases.ts';
import { readDocument, type Values } from './document.ts';
import { illegal, noSuchIndex, SearchError } from './error.ts';
import { type JsonObject, objectOf, onlyKnown } from './json.ts';
import { checkSettings, type Mapping, mergeMapping, readMapping } from './mapping.ts';
import { createTextIndex, type TextIndex } from './text.ts';

export type Stored = { id: string; version: number; seqNo: number; source: JsonObject; values: Values };
/** What is left of a removed document: its version, for as long as the server remembers it. */
type Grave = { version: number; until: number };
export type Index = {
  name: string;
  uuid: string;
  mapping: Mapping;
  settings: unknown;
  /** How long it remembers what is removed from it, milliseconds. */
  gcDeletes: number;
  documents: Map<string, Stored>;
  graves: Map<string, Grave>;
  text: TextIndex;
  nextSeqNo: number;
};

export type Indices = ReturnType<typeof createIndices>;

export function createIndices() {
  const indices = new Map<string, Index>();
  const aliases = createAliases((name) => indices.has(name));

  const find = (name: string, type: 'index_or_alias' | 'index_expression'): Index => {
    const index = indices.get(name);
    if (index === undefined) throw noSuchIndex(name, type);
    return index;
  };

  return {
    aliases,
    /** Where a document is written. */
    writtenTo: (name: string): Index =>
      find(only(aliases.behind(name), noWriteIndex(name)), 'index_expression'),
    /** Where a document is read by its id. */
    readFrom(name: string): Index {
      const behind = aliases.behind(name);
      return find(only(behind, notOneIndex(name, behind)), 'index_expression');
    },
    /** The indices of a comma list of names, aliases and beginnings such as `orders-v*`, which may be of none. */
    named: (names: string): Index[] =>
      names
        .split(',')
        .flatMap((name) =>
          name.endsWith('*')
            ? [...indices.values()].filter((index) => index.name.startsWith(name.slice(0, -1)))
            : aliases.behind(name).map((one) => find(one, 'index_or_alias')),
        ),
    all: (): Index[] => [...indices.values()],
    create(name: string, json: unknown): Index {
      checkName(name);
      if (aliases.has(name)) throw invalidName(name, 'already exists as alias');
      const existing = indices.get(name);
      if (existing !== undefined) {
        const reason = `index [${name}/${existing.uuid}] already exists`;
        throw new SearchError(400, 'resource_already_exists_exception', reason, {
          details: { index: name, index_uuid: existing.uuid },
        });
      }
      const body = objectOf(json, 'body');
      onlyKnown(body, ['aliases', 'mappings', 'settings'], '');
      const index = emptyIndex(name, readMapping(body.mappings), body.settings);
      aliases.addAll(name, body.aliases);
      indices.set(name, index);
      return index;
    },
    /** Adds fields; those that are there must be the same. */
    putMapping(names: string, json: JsonObject): void {
      for (const index of this.named(names)) {
        index.mapping = mergeMapping(index.mapping, json);
        const texts = [...index.mapping.fields.values()].filter(({ type }) => type === 'text');
        index.text = createTextIndex(texts.map((field) => field.name));
        for (const document of index.documents.values()) index.text.put(document);
      }
    },
    remove(name: string): void {
      if (aliases.has(name))
        throw illegal(
          `The provided expression [${name}] matches an alias, specify the corresponding concrete indices instead.`,
        );
      indices.delete(find(name, 'index_or_alias').name);
      aliases.forget(name);
    },
    /** What a restart forgets: which documents were removed. */
    forgetRemoved(): void {
      for (const index of indices.values()) index.graves.clear();
    },
  };
}

function emptyIndex(name: string, mapping: Mapping, settings: unknown): Index {
  const texts = [...mapping.fields.values()].filter(({ type }) => type === 'text');
  return {
    name,
    uuid: randomBytes(16).toString('base64url'),
    mapping,
    settings: settings ?? {},
    gcDeletes: checkSettings(settings),
    documents: new Map(),
    graves: new Map(),
    text: createTextIndex(texts.map((field) => field.name)),
    nextSeqNo: 0,
  };
}

/** Puts a document last, where a re-indexed one stands in Lucene too. */
export function store(index: Index, id: string, version: number, source: JsonObject): Stored {
  const values = readDocument(index.mapping, id, source);
  const stored = { id, version, source, values, seqNo: index.nextSeqNo++ };
  index.documents.delete(id);
  index.documents.set(id, stored);
  index.graves.delete(id);
  index.text.put(stored);
  return stored;
}

function checkName(name: string): void {
  const problem = /[A-Z]/.test(name)
    ? 'must be lowercase'
    : /^[_\-+]/.test(name)
      ? "must not start with '_', '-', or '+'"
      : /[\\/*?"<>| ,#:]/.test(name)
        ? 'must not contain the following characters [ , ", *, \\, <, |, ,, >, /, ?]'
        : undefined;
  if (problem !== undefined) throw invalidName(name, problem);
}

function invalidName(name: string, problem: string): SearchError {
  const reason = `Invalid index name [${name}], ${problem}`;
  return new SearchError(400, 'invalid_index_name_exception', reason, { details: { index: name } });
}

function only(indices: string[], otherwise: SearchError): string {
  const [first, second] = indices;
  if (first === undefined || second !== undefined) throw otherwise;
  return first;
}

function noWriteIndex(alias: string): SearchError {
  return illegal(
    `no write index is defined for alias [${alias}]. The write index may be explicitly disabled using is_write_index=false or the alias points to multiple indices without one being designated as a write index`,
  );
}

function notOneIndex(alias: string, behind: string[]): SearchError {
  return illegal(
    `alias [${alias}] has more than one index associated with it [${behind.join(', ')}], can't execute a single index op`,
  );
}
