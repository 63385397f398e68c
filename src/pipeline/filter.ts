/**
 * What of the table's stream is anybody's of this app: a filter for the event source mapping, so that records of
 * others invoke nothing. It goes by key alone: a record of ours that lacks its type is to be parked, not skipped.
 */
import type { App } from './app.ts';

/** An event pattern, as Lambda filters by it: a record passes that fits one of them. */
export type FilterPattern = { dynamodb: { Keys: Record<string, { S: { prefix: string }[] }> } };

// Quotas of an event source mapping (Lambda developer guide, Control which events Lambda sends to your function).
const longestPattern = 4096; // characters
const mostPatterns = 5;

/** No patterns, where they could not tell ours apart: then every record passes. */
export function streamFilter({ table, entities }: Pick<App, 'table' | 'entities'>): FilterPattern[] {
  const prefixes = shortest(entities.map(({ key }) => key.pk.prefix));
  if (prefixes.includes('')) return [];
  const patterns: FilterPattern[] = [];
  const patternOf = (some: readonly string[]): FilterPattern => ({
    dynamodb: { Keys: { [table.pk]: { S: some.map((prefix) => ({ prefix })) } } },
  });
  let part: string[] = [];
  for (const prefix of prefixes) {
    if (part.length > 0 && JSON.stringify(patternOf([...part, prefix])).length > longestPattern) {
      patterns.push(patternOf(part));
      part = [];
    }
    part.push(prefix);
  }
  if (part.length > 0) patterns.push(patternOf(part));
  const fit = patterns.every((pattern) => JSON.stringify(pattern).length <= longestPattern);
  return fit && patterns.length <= mostPatterns ? patterns : [];
}

/** Those that are not covered by another. */
function shortest(prefixes: readonly string[]): string[] {
  const all = [...new Set(prefixes)];
  return all.filter((prefix) => !all.some((other) => other !== prefix && prefix.startsWith(other)));
}
