import type { Compiled, Marks, Matches } from './clause.ts';
import { illegal } from './error.ts';
import { listOf, objectOf, onlyKnown } from './json.ts';

const CLAUSES = ['must', 'filter', 'should', 'must_not'];

export function boolQuery(body: unknown, compile: (clause: unknown) => Compiled): Compiled {
  const bool = objectOf(body, 'bool');
  onlyKnown(bool, [...CLAUSES, 'minimum_should_match'], 'bool');
  const [must = [], filter = [], should = [], mustNot = []] = CLAUSES.map((name) =>
    listOf(bool[name]).map(compile),
  );
  const minimum = readMinimum(bool.minimum_should_match);
  // Without anything required, one wish must come true, whatever the minimum; without wishes there is none.
  const needed = must.length + filter.length > 0 ? minimum : Math.max(minimum, 1);
  const atLeast = should.length === 0 ? 0 : needed;

  const matches: Matches = (document) => {
    if (mustNot.some((clause) => clause.matches(document) !== undefined)) return undefined;
    if (filter.some((clause) => clause.matches(document) === undefined)) return undefined;
    const required = must.map((clause) => clause.matches(document));
    const wished = should.map((clause) => clause.matches(document)).filter((score) => score !== undefined);
    if (wished.length < atLeast) return undefined;
    return required.includes(undefined) ? undefined : sum([...required, ...wished]);
  };
  return { matches, marks: joinMarks([...must, ...filter, ...should]) };
}

function readMinimum(value: unknown = 0): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0) return number;
  throw illegal(`[minimum_should_match] of [${value}] is not supported by this stand-in, only a count is`);
}

const sum = (scores: (number | undefined)[]): number =>
  scores.reduce<number>((total, score) => total + (score ?? 0), 0);

function joinMarks(clauses: Compiled[]): Marks {
  const joined: Marks = new Map();
  for (const { marks } of clauses) {
    for (const [field, words] of marks) joined.set(field, new Set([...(joined.get(field) ?? []), ...words]));
  }
  return joined;
}
