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

export type Highlight = { fields: string[]; encode: (text: string) => string };

export function readHighlight(given: unknown): Highlight {
  if (given === undefined) return { fields: [], encode: plain };
  const highlight = objectOf(given, 'highlight');
  onlyKnown(highlight, ['fields', 'encoder'], 'highlight');
  const fields = Object.entries(objectOf(highlight.fields, 'highlight.fields')).map(([name, options]) => {
    const { number_of_fragments: fragments, ...more } = objectOf(options, name);
    if (fragments !== undefined && fragments !== 0)
      throw notSupported(`[number_of_fragments: ${fragments}] in [highlight.fields.${name}]`);
    onlyKnown(more, [], `highlight.fields.${name}`);
    return name;
  });
  return { fields, encode: highlight.encoder === 'html' ? escaped : plain };
}

const plain = (text: string): string => text;

const ESCAPES: Record<string, string> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&quot;',
  "'": '&#x27;',
  '/': '&#x2F;',
};
const escaped = (text: string): string => text.replace(/[<>&"'/]/g, (sign) => ESCAPES[sign] ?? sign);

/** The values of each field with the words looked for marked; whole values, where the real server cuts long ones. */
export function highlightOf(
  index: Index,
  { values }: Stored,
  { fields, encode }: Highlight,
  marks: Marks,
): JsonObject | undefined {
  const marked = fields.flatMap((name): [string, string[]][] => {
    const [type, words] = [index.mapping.fields.get(name)?.type, marks.get(name)];
    if (words === undefined || (type !== 'text' && type !== 'keyword')) return [];
    const texts = (values.get(name) ?? []).map(String);
    const markAll = (text: string) =>
      type === 'text' ? markWords(text, words, encode) : markWhole(text, words, encode);
    const found = texts.map(markAll).filter((text, at) => text !== encode(texts[at] ?? ''));
    return found.length === 0 ? [] : [[name, found]];
  });
  return marked.length === 0 ? undefined : Object.fromEntries(marked);
}

type Encode = Highlight['encode'];

const markWhole = (text: string, words: Set<string>, encode: Encode): string =>
  words.has(text) ? `<em>${encode(text)}</em>` : encode(text);

function markWords(text: string, words: Set<string>, encode: Encode): string {
  let marked = '';
  let done = 0;
  for (const { word, at, length } of wordsOf(text)) {
    if (!words.has(word)) continue;
    marked += `${encode(text.slice(done, at))}<em>${encode(text.slice(at, at + length))}</em>`;
    done = at + length;
  }
  return marked + encode(text.slice(done));
}
