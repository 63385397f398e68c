/** What tells a repeat from something new outlives the longest replay. */
import { expect, test } from 'vitest';
import { longestReplayDays, retentionDays } from '../src/table/retention.ts';

test('nothing that can come again is older than the longest replay', () => {
  expect(retentionDays.stream).toBeLessThan(longestReplayDays);
  expect(retentionDays.failedBatches).toBeLessThanOrEqual(longestReplayDays);
});

test.each(['tombstones', 'outboxRows', 'deletedMarks'] as const)('%s outlive it, by days', (kept) => {
  expect(retentionDays[kept]).toBeGreaterThanOrEqual(longestReplayDays + 5);
});
