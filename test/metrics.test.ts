/** Counters as CloudWatch reads them. */
import { expect, test } from 'vitest';
import { flattened, openMetrics } from '../src/metrics.ts';

function counted(values: Record<string, number>) {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  openMetrics({ namespace: 'Sluice/test', now: () => 1_800_000_000_000, write })('project', values);
  return lines.map((line) => JSON.parse(line));
}

test('a batch is one line: each counter a member, named in the directive, by function', () => {
  expect(counted({ records: 3, 'search.applied': 2, 'search.refused': 0, oldestParkedSeconds: 0 })).toEqual([
    {
      _aws: {
        Timestamp: 1_800_000_000_000,
        CloudWatchMetrics: [
          {
            Namespace: 'Sluice/test',
            Dimensions: [['function']],
            Metrics: [
              { Name: 'records', Unit: 'Count' },
              { Name: 'search.applied', Unit: 'Count' },
              { Name: 'oldestParkedSeconds', Unit: 'Seconds' },
            ],
          },
        ],
      },
      function: 'project',
      records: 3,
      'search.applied': 2,
      oldestParkedSeconds: 0,
    },
  ]);
});

test('more counters than one directive may name are several lines, and nothing to count is none', () => {
  const many = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`m${index}`, 1]));
  const lines = counted(many);
  expect(lines.map(({ _aws }) => _aws.CloudWatchMetrics[0].Metrics.length)).toEqual([100, 50]);
  expect(counted({ records: 0 })).toEqual([]);
});

test('counts by sink and state become names', () => {
  expect(flattened({ search: { applied: 1 }, bus: { late: 2 } })).toEqual({
    'search.applied': 1,
    'bus.late': 2,
  });
});
