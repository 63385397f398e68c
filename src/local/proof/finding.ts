/** What a comparison of one sink with the table found, each entry naming what is wrong and where. */
export type Finding = { missing: string[]; stale: string[]; doubled: string[] };

export function nothing(): Finding {
  return { missing: [], stale: [], doubled: [] };
}

export function counted<Value>(values: readonly Value[]): Map<Value, number> {
  const counts = new Map<Value, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
