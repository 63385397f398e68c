/** Splits requests into calls that the service takes, keeping their order. */
export type Limits = { count: number; bytes: number };

export function chunk<Item>(items: readonly Item[], limits: Limits, size: (item: Item) => number): Item[][] {
  const chunks: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    const more = size(item);
    const last = chunks.at(-1);
    if (last === undefined || last.length >= limits.count || bytes + more > limits.bytes) {
      chunks.push([item]);
      bytes = more;
    } else {
      last.push(item);
      bytes += more;
    }
  }
  return chunks;
}
