import { type Field, type Fields, fieldsOf, together } from './pattern/fields.ts';
import { readJson } from './pattern/json.ts';
import type { Alternative } from './pattern/operators.ts';
import { rulesOf } from './pattern/rules.ts';

export { InvalidEventPatternException } from './pattern/invalid.ts';

/**
 * An event pattern as EventBridge reads it, from its text or as an object. Throws
 * `InvalidEventPatternException` where EventBridge would refuse it.
 */
export function compilePattern(pattern: string | object): (event: unknown) => boolean {
  const text = typeof pattern === 'string' ? pattern : JSON.stringify(pattern);
  // Sorted, as in EventBridge's engine: an absence is judged by the array elements chosen before it.
  const rules = rulesOf(readJson(text)).map((rule) =>
    [...rule].sort(([one], [other]) => (one < other ? -1 : 1)),
  );
  return (event) => {
    const fields = fieldsOf(event);
    return rules.some((rule) => holds(demandsOf(rule, fields), new Map()));
  };
}

/** What one field of a rule finds in an event: all of that name, and those that match. */
type Demand = { all: Field[]; matching: Field[]; absence: boolean };

const demandsOf = (rule: [string, Alternative[]][], fields: Fields): Demand[] =>
  rule.map(([path, alternatives]) => {
    const all = fields.get(path) ?? [];
    return {
      all,
      matching: all.filter(({ value }) => alternatives.some(({ matches }) => matches(value))),
      absence: alternatives.some(({ absence }) => absence),
    };
  });

/** Whether one choice of array elements satisfies every demand. */
function holds(demands: Demand[], places: Field['places']): boolean {
  const [demand, ...rest] = demands;
  if (demand === undefined) return true;
  if (demands.some(({ matching, absence }) => matching.length === 0 && !absence)) return false;
  if (demand.absence && !demand.all.some((field) => together(places, field.places)) && holds(rest, places)) {
    return true;
  }
  return demand.matching.some((field) => {
    const joined = together(places, field.places);
    return joined !== undefined && holds(rest, joined);
  });
}
