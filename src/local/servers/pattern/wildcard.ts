/**
 * How many prefixes of the wildcard some text may fit at once. EventBridge refuses what is "too complex"
 * and does not say where that begins; of the patterns recorded on AWS, one of 7 was accepted and one of
 * 11 refused.
 */
const MOST_AT_ONCE = 10;

export function compileWildcard(text: string): (value: string) => boolean {
  const parts = split(text);
  const [first = '', ...rest] = parts;
  if (rest.reduce((sum, part) => sum + 1 + repeats(part), 0) > MOST_AT_ONCE) {
    throw new Error(
      'Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character',
    );
  }
  const last = rest.pop();
  if (last === undefined) return (value) => value === first;
  return (value) => {
    if (!value.startsWith(first)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = value.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return value.length - last.length >= at && value.endsWith(last);
  };
}

/** The texts between the stars. */
function split(text: string): string[] {
  const parts = [''];
  const add = (character: string) => parts.push(`${parts.pop()}${character}`);
  for (let at = 0; at < text.length; at++) {
    const [character = '', after] = [text[at], text[at + 1]];
    // The positions AWS reports count the opening quote.
    if (character === '*' && after === '*')
      throw new Error(`Consecutive wildcard characters at pos ${at + 1}`);
    if (character === '*') parts.push('');
    else if (character !== '\\') add(character);
    else if (after !== '*' && after !== '\\') throw new Error(`Invalid escape character at pos ${at + 1}`);
    else {
      add(after);
      at++;
    }
  }
  return parts;
}

/** How many prefixes of a text can end at one place in it: 3 for "/a/a/", whose "/" and "/a/" come again. */
function repeats(part: string): number {
  const border: number[] = [];
  const depth: number[] = [];
  for (let end = 0; end < part.length; end++) {
    let length = end === 0 ? 0 : (border[end - 1] ?? 0);
    while (length > 0 && part[length] !== part[end]) length = border[length - 1] ?? 0;
    border[end] = end > 0 && part[length] === part[end] ? length + 1 : 0;
    depth[end] = 1 + (depth[(border[end] ?? 0) - 1] ?? 0);
  }
  return Math.max(0, ...depth);
}
