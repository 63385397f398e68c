/** What an entity's index is called: an alias to read by, one to write by, and behind both an index with a number. */

export type IndexNames = { read: string; write: string; numbered(number: number): string };

export function namesOf(prefix: string, index: string): IndexNames {
  const read = `${prefix}${index}`;
  return { read, write: `${read}-write`, numbered: (number) => `${read}-v${number}` };
}

/** The number that an index of these names has, if it is one of them. */
export function numberOf({ read }: IndexNames, index: string): number | undefined {
  const number = index.startsWith(`${read}-v`) ? index.slice(read.length + 2) : '';
  return /^[1-9]\d*$/.test(number) ? Number(number) : undefined;
}
