import { boolQuery } from './bool.ts';
import type { Compile, Compiled } from './clause.ts';
import { notSupported } from './error.ts';
import type { Index } from './indices.ts';
import { objectOf, onlyKnown, onlyMember } from './json.ts';
import { multiMatchQuery } from './multi-match.ts';
import { existsQuery, rangeQuery, termQuery, termsQuery } from './terms.ts';

const queries: Record<string, Compile> = {
  bool: (body, index) => boolQuery(body, (clause) => compileQuery(clause, index)),
  match_all: (body) => {
    onlyKnown(objectOf(body, 'match_all'), [], 'match_all');
    return { matches: () => 1, marks: new Map() };
  },
  multi_match: multiMatchQuery,
  term: termQuery,
  terms: termsQuery,
  range: rangeQuery,
  exists: existsQuery,
};

export function compileQuery(query: unknown, index: Index): Compiled {
  const [name, body] = onlyMember(query, 'query');
  const compile = Object.hasOwn(queries, name) ? queries[name] : undefined;
  if (compile === undefined) throw notSupported(`[${name}] query`);
  return compile(body, index);
}
