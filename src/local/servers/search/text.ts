import MiniSearch from 'minisearch';
import type { Values } from './document.ts';

export type Indexed = { id: string; values: Values };
export type TextQuery = { text: string; fields: Map<string, number>; every: boolean };

const WORDS = new Intl.Segmenter('en', { granularity: 'word' });

/** Words as OpenSearch's standard analyzer cuts them: both follow Unicode's rules (UAX #29). */
export function wordsOf(text: string): { word: string; at: number; length: number }[] {
  return [...WORDS.segment(text)]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ segment, index }) => ({ word: segment.toLowerCase(), at: index, length: segment.length }));
}

/** The full text of one index's documents; `search` gives scores by document. */
export function createTextIndex(fields: string[]) {
  const index = new MiniSearch<Indexed>({
    fields,
    extractField: (document, name) => (name === 'id' ? document.id : document.values.get(name)?.join('\n')),
    tokenize: (text) => wordsOf(text).map(({ word }) => word),
    processTerm: (word) => word,
    autoVacuum: false,
  });
  return {
    put: (document: Indexed) => (index.has(document.id) ? index.replace(document) : index.add(document)),
    remove: (id: string) => index.discard(id),
    search: ({ text, fields: searched, every }: TextQuery): Map<string, number> => {
      const found = index.search(text, {
        fields: [...searched.keys()],
        boost: Object.fromEntries(searched),
        combineWith: every ? 'AND' : 'OR',
        bm25: { k: 1.2, b: 0.75, d: 0 }, // Lucene's
      });
      return new Map(found.map(({ id, score }) => [id, score]));
    },
  };
}

export type TextIndex = ReturnType<typeof createTextIndex>;
