/** The mapping's filter, derived from the entities' keys. */

import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { app } from '../../src/app.ts';
import { compilePattern } from '../../src/local/servers/pattern.ts';
import { defineApp } from '../../src/pipeline/app.ts';
import { type FilterPattern, streamFilter } from '../../src/pipeline/filter.ts';
import { defineEntity } from '../../src/table/entity.ts';
import { defineTable } from '../../src/table/table.ts';
import { app as library } from '../other/library/app.ts';
import { recordOf } from '../support/records.ts';

/** As Lambda does: any pattern lets a record pass. */
function passes(patterns: FilterPattern[], record: unknown): boolean {
  return patterns.some((pattern) => compilePattern(pattern)(record));
}

const ours = { pk: 'USER#ada', sk: 'PROFILE' };

test('it names the beginning of every key once, and nothing else', () => {
  expect(streamFilter(app)).toEqual([
    { dynamodb: { Keys: { pk: { S: [{ prefix: 'USER#' }, { prefix: 'PRODUCT#' }] } } } },
  ]);
});

describe('a record', () => {
  test('of ours passes, also one that lacks its type', () => {
    expect(passes(streamFilter(app), recordOf({ after: { ...ours, _type: 'Customer' } }))).toBe(true);
    expect(passes(streamFilter(app), recordOf({ after: ours }))).toBe(true);
  });

  test('that shows a removal passes, though it has no new image', () => {
    expect(passes(streamFilter(app), recordOf({ before: ours }))).toBe(true);
  });

  test('of somebody else is skipped, whatever type it claims', () => {
    const foreign = { pk: 'SESSION#1', sk: 'PROFILE', _type: 'Customer' };
    expect(passes(streamFilter(app), recordOf({ after: foreign }))).toBe(false);
  });
});

test('the table’s own key attribute is named', () => {
  const keys = streamFilter(library).map(({ dynamodb }) => Object.keys(dynamodb.Keys));
  expect(keys).toEqual([[library.table.pk]]);
});

const table = defineTable({ pk: 'pk', sk: 'sk', type: '_type', version: 'version' });

function appWith(...keys: string[]) {
  const schema = z.object({ id: z.string() });
  const entities = keys.map((pk, index) =>
    // A key that is only known at run time cannot be checked at compile time.
    defineEntity({ name: `E${index}`, schema, key: { pk: pk as 'A#{id}', sk: 'S', from: 'natural' } }),
  );
  return defineApp({ table, entities, sinks: [] });
}

test('where one key begins with a field, every record passes', () => {
  expect(streamFilter(appWith('A#{id}', '{id}'))).toEqual([]);
});

test('a beginning that another one covers is left out', () => {
  expect(streamFilter(appWith('A#{id}', 'A#B#{id}'))).toEqual([
    { dynamodb: { Keys: { pk: { S: [{ prefix: 'A#' }] } } } },
  ]);
});

test('what is too long for one pattern is spread over several, each of at most 4096 characters', () => {
  const keys = Array.from({ length: 60 }, (_, index) => `${'long'.repeat(40)}${index}#{id}`);
  const patterns = streamFilter(appWith(...keys));
  expect(patterns.length).toBeGreaterThan(1);
  for (const pattern of patterns) expect(JSON.stringify(pattern).length).toBeLessThanOrEqual(4096);
  for (const [index] of keys.entries())
    expect(passes(patterns, recordOf({ after: { pk: `${'long'.repeat(40)}${index}#x`, sk: 'S' } }))).toBe(
      true,
    );
});

test('where not even five patterns hold them, every record passes', () => {
  const keys = Array.from({ length: 200 }, (_, index) => `${'long'.repeat(40)}${index}#{id}`);
  expect(streamFilter(appWith(...keys))).toEqual([]);
});
