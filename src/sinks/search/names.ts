/** What an entity's index is called: an alias to read by, one to write by, and behind both an index with a number. */

export type IndexNames = {
  read: string;
  write: string;
  /** The name of the index after these. */
  next(indices: readonly string[]): string;
};

export function namesOf(prefix: string, index: string): IndexNames {
  const read = `${prefix}${index}`;
  const numbers = (indices: readonly string[]) => indices.map((name) => numberOf(read, name) ?? 0);
  return {
    read,
    write: `${read}-write`,
    next: (indices) => `${read}-v${Math.max(0, ...numbers(indices)) + 1}`,
  };
}

/** The number that an index behind this alias has, if it is one. */
export function numberOf(read: string, index: string): number | undefined {
  const number = index.startsWith(`${read}-v`) ? index.slice(read.length + 2) : '';
  return /^[1-9]\d*$/.test(number) ? Number(number) : undefined;
}
