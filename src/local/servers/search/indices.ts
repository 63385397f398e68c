import { randomBytes } from 'node:crypto';
import { readDocument, type Values } from './document.ts';
import { noSuchIndex, SearchError } from './error.ts';
import { type JsonObject, objectOf, onlyKnown } from './json.ts';
import { checkSettings, type Mapping, readMapping } from './mapping.ts';
import { createTextIndex, type TextIndex } from './text.ts';

export type Stored = { id: string; version: number; seqNo: number; source: JsonObject; values: Values };
/** What is left of a removed document: its version, for as long as the server remembers it. */
type Grave = { version: number; until: number };
export type Index = {
  name: string;
  uuid: string;
  mapping: Mapping;
  settings: unknown;
  documents: Map<string, Stored>;
  graves: Map<string, Grave>;
  text: TextIndex;
  nextSeqNo: number;
};

export type Indices = ReturnType<typeof createIndices>;

export function createIndices() {
  const indices = new Map<string, Index>();

  const find = (name: string, type: 'index_or_alias' | 'index_expression'): Index => {
    const index = indices.get(name);
    if (index === undefined) throw noSuchIndex(name, type);
    return index;
  };

  return {
    /** Where a document is written or read. */
    indexOf: (name: string): Index => find(name, 'index_expression'),
    /** The indices of a comma list. */
    named: (names: string): Index[] => names.split(',').map((name) => find(name, 'index_or_alias')),
    all: (): Index[] => [...indices.values()],
    create(name: string, json: unknown): Index {
      checkName(name);
      const existing = indices.get(name);
      if (existing !== undefined) {
        const reason = `index [${name}/${existing.uuid}] already exists`;
        throw new SearchError(400, 'resource_already_exists_exception', reason, {
          details: { index: name, index_uuid: existing.uuid },
        });
      }
      const body = objectOf(json, 'body');
      onlyKnown(body, ['mappings', 'settings'], '');
      checkSettings(body.settings);
      const index = emptyIndex(name, readMapping(body.mappings), body.settings);
      indices.set(name, index);
      return index;
    },
    remove(name: string): void {
      indices.delete(name);
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
  if (problem === undefined) return;
  throw new SearchError(400, 'invalid_index_name_exception', `Invalid index name [${name}], ${problem}`, {
    details: { index: name },
  });
}
