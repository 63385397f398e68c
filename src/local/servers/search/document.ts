import { illegal, SearchError } from './error.ts';
import { isObject, type JsonObject } from './json.ts';
import type { Field, Mapping } from './mapping.ts';
import { isCause, types, type Value } from './types.ts';

/** A document's values by field, ready to search; the refusals are those of the real server. */
export type Values = Map<string, Value[]>;

const MOST_KEYWORD_BYTES = 32_766; // Lucene's longest term

export function readDocument(mapping: Mapping, id: string, source: JsonObject): Values {
  const values: Values = new Map();
  const walk = (object: JsonObject, prefix: string): void => {
    for (const [key, value] of Object.entries(object)) {
      const name = `${prefix}${key}`;
      if (mapping.objects.has(name)) {
        for (const one of flat(value)) walk(objectIn(name, one), `${name}.`);
      } else {
        const fields = [...mapping.fields.values()].filter(({ path }) => path === name);
        if (fields.length === 0) refuseUnknown(mapping, prefix, key);
        for (const field of fields) values.set(field.name, readValues(field, id, value));
      }
    }
  };
  walk(source, '');
  return values;
}

/** Null and nothing are the same, and one value the same as a list of one. */
const flat = (value: unknown): unknown[] =>
  Array.isArray(value) ? value.flatMap(flat) : value === null || value === undefined ? [] : [value];

function refuseUnknown(mapping: Mapping, prefix: string, key: string): void {
  if (!mapping.strict) return;
  const within = prefix === '' ? '_doc' : prefix.slice(0, -1);
  throw new SearchError(
    400,
    'strict_dynamic_mapping_exception',
    `mapping set to strict, dynamic introduction of [${key}] within [${within}] is not allowed`,
  );
}

function objectIn(name: string, value: unknown): JsonObject {
  if (isObject(value)) return value;
  throw new SearchError(
    400,
    'mapper_parsing_exception',
    `object mapping for [${name}] tried to parse field [${name}] as object, but found a concrete value`,
  );
}

function readValues(field: Field, id: string, value: unknown): Value[] {
  const read = flat(value).map((one) => readValue(field, id, one));
  if (field.type === 'keyword' && read.some((one) => Buffer.byteLength(String(one)) > MOST_KEYWORD_BYTES)) {
    throw illegal(`Document contains at least one immense term in field="${field.name}"`);
  }
  return read.filter((one) => String(one).length <= field.ignoreAbove);
}

function readValue(field: Field, id: string, value: unknown): Value {
  const read = isObject(value)
    ? { type: 'illegal_state_exception', reason: "Can't get text on a START_OBJECT" }
    : types[field.type](value as Value);
  if (!isCause(read)) return read;
  throw new SearchError(
    400,
    'mapper_parsing_exception',
    `failed to parse field [${field.name}] of type [${field.type}] in document with id '${id}'. Preview of field's value: '${isObject(value) ? JSON.stringify(value) : value}'`,
    { causedBy: read },
  );
}
