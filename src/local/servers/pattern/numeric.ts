import type { Json } from './json.ts';

const comparisons: Record<string, (value: number, bound: number) => boolean> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

/** `["=", 5]`, `[">", 0, "<=", 5]`: one comparison, or a range from the bottom up. */
export function compileNumeric(operand: Json): (value: number) => boolean {
  if (!Array.isArray(operand)) throw new Error('Value of numeric must be an array.');
  const [operator, bound, upperOperator, upper, ...more] = operand;
  if (typeof operator !== 'string')
    throw new Error(`Invalid member in numeric match: ${JSON.stringify(operator)}`);
  const compare = Object.hasOwn(comparisons, operator) ? comparisons[operator] : undefined;
  if (compare === undefined) throw new Error(`Unrecognized numeric range operator: ${operator}`);
  const lower = numberOf(bound, operator === '=' ? 'equals' : operator);
  if (upperOperator === undefined) return (value) => compare(value, lower);

  if (!operator.startsWith('>')) throw new Error('Too many elements in numeric expression');
  const compareUpper = readUpper(upperOperator);
  const top = numberOf(upper, String(upperOperator));
  if (more.length > 0) throw new Error('Too many terms in numeric range expression');
  if (top < lower) throw new Error('Bottom must be less than top');
  return (value) => compare(value, lower) && compareUpper(value, top);
}

function readUpper(operator: Json): (value: number, bound: number) => boolean {
  if (typeof operator !== 'string')
    throw new Error(`Bad value in numeric range: ${JSON.stringify(operator)}`);
  const compare = operator === '<' || operator === '<=' ? comparisons[operator] : undefined;
  if (compare === undefined) throw new Error(`Bad numeric range operator: ${operator}`);
  return compare;
}

function numberOf(json: Json | undefined, operator: string): number {
  if (typeof json !== 'number') throw new Error(`Value of ${operator} must be numeric`);
  return json;
}
