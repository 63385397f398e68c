import { compileCidr } from './cidr.ts';
import { isMembers, type Json, type Leaf } from './json.ts';
import { compileNumeric } from './numeric.ts';
import { compileWildcard } from './wildcard.ts';

type Matches = (value: Leaf) => boolean;
/** One alternative of a field; an absence holds where the event has no such field. */
export type Alternative = { matches: Matches; absence?: true };

/** Reads one alternative; the errors it throws give the reason only, in EventBridge's words. */
export function readAlternative(json: Json): Alternative {
  if (Array.isArray(json)) throw new Error('Match value must be String, number, true, false, or null');
  if (!isMembers(json)) return { matches: (value) => value === json };
  const [operator, operand] = onlyMember(json.members, 'Match expression name not found');
  if (operator === 'exists') return readExists(operand);
  const compile = Object.hasOwn(operators, operator) ? operators[operator] : undefined;
  if (compile === undefined) throw new Error(`Unrecognized match type ${operator}`);
  return { matches: compile(operand) };
}

const operators: Record<string, (operand: Json) => Matches> = {
  prefix: (operand) => affix('prefix', operand, (value, text) => value.startsWith(text)),
  suffix: (operand) => affix('suffix', operand, (value, text) => value.endsWith(text)),
  'equals-ignore-case': (operand) =>
    ignoringCase(stringOf(operand, 'equals-ignore-case match pattern must be a string')),
  wildcard: (operand) =>
    onStrings(compileWildcard(stringOf(operand, 'wildcard match pattern must be a string'))),
  // "prefix" is AWS's own slip in this message.
  cidr: (operand) => onStrings(compileCidr(stringOf(operand, 'prefix match pattern must be a string'))),
  numeric: (operand) => {
    const holds = compileNumeric(operand);
    return (value) => typeof value === 'number' && holds(value);
  },
  'anything-but': readAnythingBut,
};

function readExists(operand: Json): Alternative {
  if (typeof operand !== 'boolean') throw new Error('exists match pattern must be either true or false.');
  return operand ? { matches: () => true } : { matches: () => false, absence: true };
}

function affix(name: string, operand: Json, holds: (value: string, text: string) => boolean): Matches {
  if (!isMembers(operand)) {
    const text = stringOf(operand, `${name} match pattern must be a string`);
    return onStrings((value) => holds(value, text));
  }
  const [option, folded] = onlyMember(operand.members, `${name} match pattern must be a string`);
  if (option !== 'equals-ignore-case') throw new Error(`Unsupported ${name} pattern: ${option}`);
  const text = stringOf(folded, 'equals-ignore-case match pattern must be a string').toLowerCase();
  return onStrings((value) => holds(value.toLowerCase(), text));
}

function readAnythingBut(operand: Json): Matches {
  const refused = isMembers(operand) ? refusedByOperator(operand.members) : refusedValues(operand);
  return (value) => !refused.some((matches) => matches(value));
}

const NOT_A_VALUE = 'Value of anything-but must be an array or single string/number value.';

function refusedValues(operand: Json): Matches[] {
  if (Array.isArray(operand)) {
    const kinds = new Set(operand.map((value) => typeof value));
    if (kinds.has('object') || kinds.has('boolean')) {
      throw new Error('Inside anything but list, start|null|boolean is not supported.');
    }
    if (kinds.size !== 1) {
      throw new Error(
        'Inside anything but list, either all values are number or string, mixed type is not supported',
      );
    }
    return operand.map((refused) => (value) => value === refused);
  }
  if (typeof operand !== 'string' && typeof operand !== 'number') throw new Error(NOT_A_VALUE);
  return [(value) => value === operand];
}

const AFFIX_NOT_STRING = 'prefix/suffix match pattern must be a string';
const notStringInside: Record<string, string> = {
  prefix: AFFIX_NOT_STRING,
  suffix: AFFIX_NOT_STRING,
  'equals-ignore-case':
    'Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.',
  wildcard: 'wildcard match pattern must be a string',
};

function refusedByOperator(members: [string, Json][]): Matches[] {
  const [operator, operand] = onlyMember(members, 'Anything-But expression name not found');
  const notString = Object.hasOwn(notStringInside, operator) ? notStringInside[operator] : undefined;
  const compile = operators[operator];
  if (notString === undefined || compile === undefined) {
    throw new Error(`Unsupported anything-but pattern: ${operator}`);
  }
  if (isMembers(operand)) throw new Error(NOT_A_VALUE);
  const texts = (Array.isArray(operand) ? operand : [operand]).map((text) => stringOf(text, notString));
  if (texts.length === 0) throw new Error('Empty arrays are not allowed');
  if (notString === AFFIX_NOT_STRING && texts.includes('')) throw new Error('Null prefix/suffix not allowed');
  return texts.map(compile);
}

function onlyMember(members: [string, Json][], missing: string): [string, Json] {
  const [first, ...more] = members;
  if (first === undefined) throw new Error(missing);
  if (more.length > 0) throw new Error('Only one key allowed in match expression');
  return first;
}

function stringOf(json: Json, otherwise: string): string {
  if (typeof json !== 'string') throw new Error(otherwise);
  return json;
}

const onStrings =
  (holds: (value: string) => boolean): Matches =>
  (value) =>
    typeof value === 'string' && holds(value);

const ignoringCase = (text: string): Matches => {
  const folded = text.toLowerCase();
  return onStrings((value) => value.toLowerCase() === folded);
};
