import { InvalidEventPatternException } from './invalid.ts';
import { isMembers, type Json, type Members } from './json.ts';
import { type Alternative, readAlternative } from './operators.ts';

/** What one branch of a pattern asks for: for each field, alternatives of which one must hold. */
export type Rule = ReadonlyMap<string, Alternative[]>;

/** A pattern as its branches; `$or` is multiplied out, so that a branch is a plain "and". */
export function rulesOf(pattern: Json): Rule[] {
  if (!isMembers(pattern)) throw new InvalidEventPatternException('Filter is not an object');
  return extend([new Map()], pattern, '');
}

function extend(rules: Rule[], { members }: Members, path: string): Rule[] {
  if (members.length === 0)
    throw new InvalidEventPatternException('Empty objects are not allowed', path || undefined);
  return members.reduce((extended, [name, value]) => {
    const branches = name === '$or' ? branchesOf(value) : undefined;
    if (branches !== undefined) return branches.flatMap((branch) => extend(extended, branch, path));
    return extendByField(extended, path === '' ? name : `${path}.${name}`, name, value);
  }, rules);
}

function extendByField(rules: Rule[], path: string, name: string, value: Json): Rule[] {
  if (isMembers(value)) return extend(rules, value, path);
  if (!Array.isArray(value))
    throw new InvalidEventPatternException(`"${name}" must be an object or an array`, path);
  const alternatives = readAlternatives(value, path);
  return rules.map((rule) => new Map(rule).set(path, alternatives));
}

function readAlternatives(values: Json[], path: string): Alternative[] {
  if (values.length === 0) throw new InvalidEventPatternException('Empty arrays are not allowed', path);
  try {
    return values.map(readAlternative);
  } catch (error) {
    throw new InvalidEventPatternException(error instanceof Error ? error.message : String(error), path);
  }
}

/** Names after which `$or` is an ordinary field (event-ruler's README, "And and Or Relationship"). */
const RESERVED = new Set(
  `exactly equals-ignore-case prefix suffix anything-but exists wildcard numeric cidr = < <= > >= regex
   not-wildcard not-equals-ignore-case date-after date-on-or-after date-before date-on-or-before in-date-range
   ip-address-in-range ip-address-not-in-range`.split(/\s+/),
);

function branchesOf(value: Json): Members[] | undefined {
  if (!Array.isArray(value) || value.length < 2 || !value.every(isMembers)) return undefined;
  const reserved = value.some(({ members }) => members.some(([name]) => RESERVED.has(name)));
  return reserved ? undefined : value;
}
