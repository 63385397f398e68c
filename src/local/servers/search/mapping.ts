import { illegal, notSupported, SearchError } from './error.ts';
import { isObject, type JsonObject, objectOf, onlyKnown } from './json.ts';
import { type FieldType, types } from './types.ts';

export type Field = {
  name: string;
  type: FieldType;
  /** Where its values stand in a document: its name, or for a multi-field that of its parent. */
  path: string;
  /** Longer values are not indexed. */
  ignoreAbove: number;
};
export type Mapping = {
  /** Whether a field that is not declared here is refused, or kept without being searchable. */
  strict: boolean;
  fields: Map<string, Field>;
  /** Names of the fields that hold further fields. */
  objects: Set<string>;
  json: JsonObject;
};

export function readMapping(json: unknown = {}): Mapping {
  const mappings = objectOf(json, 'mappings');
  onlyKnown(mappings, ['dynamic', 'properties'], 'mappings');
  const dynamic = String(mappings.dynamic ?? true);
  if (dynamic !== 'strict' && dynamic !== 'false') {
    throw notSupported(`[dynamic: ${dynamic}] (it guesses no field types; say "strict" or false)`);
  }
  const mapping: Mapping = {
    strict: dynamic === 'strict',
    fields: new Map(),
    objects: new Set(),
    json: mappings,
  };
  addProperties(mapping, mappings.properties ?? {}, '');
  return mapping;
}

/** The fields of both; the type of a field that is there cannot change. */
export function mergeMapping(mapping: Mapping, json: JsonObject): Mapping {
  const added = readMapping({ ...mapping.json, ...json });
  for (const [name, { type }] of added.fields) {
    const known = mapping.fields.get(name)?.type ?? type;
    if (known !== type) throw illegal(`mapper [${name}] cannot be changed from type [${known}] to [${type}]`);
  }
  return readMapping({
    ...mapping.json,
    properties: {
      ...objectOf(mapping.json.properties ?? {}, 'properties'),
      ...objectOf(json.properties ?? {}, 'properties'),
    },
  });
}

function addProperties(mapping: Mapping, properties: unknown, prefix: string): void {
  for (const [key, declared] of Object.entries(objectOf(properties, 'properties'))) {
    const name = `${prefix}${key}`;
    const property = objectOf(declared, name);
    if ('properties' in property) {
      onlyKnown(property, ['properties', 'type'], name);
      mapping.objects.add(name);
      addProperties(mapping, property.properties, `${name}.`);
    } else {
      addField(mapping, name, name, property);
      for (const [part, multi] of Object.entries(objectOf(property.fields ?? {}, 'fields'))) {
        addField(mapping, `${name}.${part}`, name, objectOf(multi, part));
      }
    }
  }
}

function addField(mapping: Mapping, name: string, path: string, property: JsonObject): void {
  onlyKnown(property, ['type', 'fields', 'ignore_above'], name);
  const type = String(property.type);
  if (!Object.hasOwn(types, type)) {
    const reason = `No handler for type [${type}] declared on field [${name}]`;
    throw new SearchError(400, 'mapper_parsing_exception', reason);
  }
  const ignoreAbove = Number(property.ignore_above ?? Number.POSITIVE_INFINITY);
  mapping.fields.set(name, { name, path, type: type as FieldType, ignoreAbove });
}

const GC_DELETES = 60_000; // index.gc_deletes, its default

/** Settings that change nothing about what the stand-in answers. */
const HARMLESS = ['number_of_shards', 'number_of_replicas', 'refresh_interval', 'auto_expand_replicas'];

/** Gives the one that matters here: how long what is removed is remembered, milliseconds. */
export function checkSettings(json: unknown = {}): number {
  let gcDeletes = GC_DELETES;
  for (const [name, value] of Object.entries(objectOf(json, 'settings'))) {
    const setting = name.replace(/^index\./, '');
    if (name === 'index' && isObject(value)) gcDeletes = checkSettings(value);
    else if (setting === 'gc_deletes') gcDeletes = readTime(value);
    else onlyKnown({ [setting]: value }, HARMLESS, 'settings');
  }
  return gcDeletes;
}

function readTime(value: unknown): number {
  const [, number, unit] = /^(\d+)(ms|s)$/.exec(String(value)) ?? [];
  if (number === undefined)
    throw illegal(`[index.gc_deletes] of [${value}] is not supported by this stand-in`);
  return Number(number) * (unit === 's' ? 1_000 : 1);
}
