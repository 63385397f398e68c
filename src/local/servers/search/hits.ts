import type { Marks } from './clause.ts';
import { notSupported } from './error.ts';
import type { Index, Stored } from './indices.ts';
import { isObject, type JsonObject, listOf, objectOf, onlyKnown } from './json.ts';
import { wordsOf } from './text.ts';

/** Which parts of a document a hit carries: all, none, or the fields named. */
export function readSourceFilter(given: unknown = true): (source: JsonObject) => JsonObject | undefined {
  if (given === true) return (source) => source;
  if (given === false) return () => undefined;
  if (isObject(given)) throw notSupported(`[${Object.keys(given).join(', ')}] in [_source]`);
  const names = listOf(given).map(String);
  const pattern = names.find((name) => name.includes('*'));
  if (pattern !== undefined) throw notSupported(`[${pattern}] in [_source]`);
  return (source) => (names.length === 0 ? source : pick(source, '', names));
}

function pick(source: JsonObject, prefix: string, names: string[]): JsonObject {
  const kept = Object.entries(source).flatMap(([key, value]): [string, unknown][] => {
    const name = `${prefix}${key}`;
    if (names.includes(name)) return [[key, value]];
    if (!names.some((one) => one.startsWith(`${name}.`))) return [];
    if (Array.isArray(value))
      return [[key, value.filter(isObject).map((one) => pick(one, `${name}.`, names))]];
    return isObject(value) ? [[key, pick(value, `${name}.`, names)]] : [];
  });
  return Object.fromEntries(kept);
}

export function readHighlight(given: unknown): string[] {
  if (given === undefined) return [];
  const highlight = objectOf(given, 'highlight');
  onlyKnown(highlight, ['fields'], 'highlight');
  return Object.entries(objectOf(highlight.fields, 'highlight.fields')).map(([name, options]) => {
    onlyKnown(objectOf(options, name), [], `highlight.fields.${name}`);
    return name;
  });
}

/** The values of each field with the words looked for marked; whole values, where the real server cuts long ones. */
export function highlightOf(
  index: Index,
  { values }: Stored,
  names: string[],
  marks: Marks,
): JsonObject | undefined {
  const marked = names.flatMap((name): [string, string[]][] => {
    const [type, words] = [index.mapping.fields.get(name)?.type, marks.get(name)];
    if (words === undefined || (type !== 'text' && type !== 'keyword')) return [];
    const texts = (values.get(name) ?? []).map(String);
    const markAll = (text: string) => (type === 'text' ? markWords(text, words) : markWhole(text, words));
    const found = texts.map(markAll).filter((text, at) => text !== texts[at]);
    return found.length === 0 ? [] : [[name, found]];
  });
  return marked.length === 0 ? undefined : Object.fromEntries(marked);
}

const markWhole = (text: string, words: Set<string>): string => (words.has(text) ? `<em>${text}</em>` : text);

function markWords(text: string, words: Set<string>): string {
  let marked = '';
  let done = 0;
  for (const { word, at, length } of wordsOf(text)) {
    if (!words.has(word)) continue;
    marked += `${text.slice(done, at)}<em>${text.slice(at, at + length)}</em>`;
    done = at + length;
  }
  return marked + text.slice(done);
}
