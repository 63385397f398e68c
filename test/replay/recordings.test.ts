/** Every recording through both handlers: what is in it, and what came of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { recordLine } from '../../src/ops/replay/lines.ts';
import { replay } from '../../src/test.ts';
import { openPlace } from '../sinks/places.ts';
import { allTaken, openWorld } from '../sinks/world.ts';

const folder = new URL('../../events/recorded', import.meta.url).pathname;
const recordings = readdirSync(folder).filter((name) => name.endsWith('.json'));

const world = await openWorld();

/** What the handlers told of their batches: in each sink how many were in which state. */
function told(): string[] {
  return world.batches.map(({ reader, records, changes, ignored, inexact, parked, sinks }) => {
    const counts = { changes, ignored, inexact, parked };
    const numbers = Object.entries(counts).flatMap(([name, count]) =>
      count > 0 ? [`${count} ${name}`] : [],
    );
    const states = Object.entries(sinks).map(([sink, states]) => {
      const reached = Object.entries(states).flatMap(([state, count]) =>
        count > 0 ? [`${count} ${state}`] : [],
      );
      return `${sink} ${reached.join(' + ') || 'nothing'}`;
    });
    return `${reader}: ${records} records, ${numbers.join(', ')} → ${states.join(', ')}`;
  });
}

test('there are recordings of what happens to a shop, and of what happens only to others', () => {
  expect(recordings.length).toBeGreaterThanOrEqual(12);
});

test.each(recordings)('%s', async (name) => {
  const path = join(folder, name);
  const event: DynamoDBStreamEvent = JSON.parse(readFileSync(path, 'utf8'));
  const place = await openPlace(world, name.replace('.json', '').replaceAll('.', '-'));
  const { records, answer } = await replay(path);
  expect(await place.project(event)).toEqual(allTaken);
  expect(await place.notify(event)).toEqual(allTaken);
  expect(answer).toEqual({ project: allTaken, notify: allTaken });
  const lines = [...records.map(recordLine), ...told()];
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`recordings/${name.replace('.json', '.txt')}`);
  expect(await place.project(event)).toEqual(allTaken);
  expect(await place.notify(event)).toEqual(allTaken);
  const [, , projected, notified] = world.batches;
  expect(projected?.sinks.audit?.applied).toBe(0);
  expect(notified?.sinks.email?.applied).toBe(0);
});
