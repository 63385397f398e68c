/** JSON of whatever came, however deep. */

/** `JSON.stringify` ends at some thousand levels; DynamoDB itself holds 32, so deeper ones are somebody's mischief. */
export function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return deepJson(value);
  }
}

type Open = { closing: string; rest: Iterator<[string, unknown]>; first: boolean };

/** The same text without recursion. Takes what `JSON.parse` gives. */
function deepJson(value: unknown): string {
  const parts: string[] = [];
  const open: Open[] = [];
  const write = (member: unknown) => {
    if (typeof member !== 'object' || member === null) {
      parts.push(JSON.stringify(member));
      return;
    }
    const isList = Array.isArray(member);
    const entries = isList
      ? member.map((one): [string, unknown] => ['', one])
      : Object.entries(member).map(([name, one]): [string, unknown] => [`${JSON.stringify(name)}:`, one]);
    parts.push(isList ? '[' : '{');
    open.push({ closing: isList ? ']' : '}', rest: entries.values(), first: true });
  };
  write(value);
  for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
    const next = last.rest.next();
    if (next.done) {
      parts.push(last.closing);
      open.pop();
      continue;
    }
    if (!last.first) parts.push(',');
    last.first = false;
    const [name, member] = next.value;
    parts.push(name);
    write(member);
  }
  return parts.join('');
}
