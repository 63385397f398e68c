/**
 * Counters for CloudWatch, in its embedded metric format: one line of JSON for a batch, from which CloudWatch takes
 * the metrics (Specification: Embedded metric format). Elsewhere than on Lambda there are none.
 */

/** What a function counts: a metric's name, such as `search.applied`, and its value. */
export type Metrics = (functionName: string, values: Readonly<Record<string, number>>) => void;

const mostMetrics = 100; // that one directive may name

/** Nothing is said of what is 0, but of ages in seconds, whose names end in `Seconds`. */
export function openMetrics({
  namespace,
  now,
  write,
}: {
  namespace: string;
  now(): number;
  write(line: string): void;
}): Metrics {
  return function count(functionName, values) {
    const told = Object.entries(values).filter(([name, value]) => value !== 0 || isAge(name));
    for (let start = 0; start < told.length; start += mostMetrics) {
      const part = told.slice(start, start + mostMetrics);
      const Metrics = part.map(([Name]) => ({ Name, Unit: isAge(Name) ? 'Seconds' : 'Count' }));
      const directive = { Namespace: namespace, Dimensions: [['function']], Metrics };
      const _aws = { Timestamp: now(), CloudWatchMetrics: [directive] };
      write(JSON.stringify({ _aws, function: functionName, ...Object.fromEntries(part) }));
    }
  };
}

export const noMetrics: Metrics = () => {};

function isAge(name: string): boolean {
  return name.endsWith('Seconds');
}

/** `{ search: { applied: 3 } }` as `{ 'search.applied': 3 }`. */
export function flattened(
  counts: Readonly<Record<string, Readonly<Record<string, number>>>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts).flatMap(([sink, states]) =>
      Object.entries(states).map(([state, count]) => [`${sink}.${state}`, count]),
    ),
  );
}
