/** Payloads that nobody of ours wrote: each is understood, or refused by name; none is dropped without a word. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { plain } from '../../src/local/live/plain.ts';
import { recordLine } from '../../src/ops/replay/lines.ts';
import { ForeignEvent } from '../../src/pipeline/batch.ts';
import { planBatch, type Replay } from '../../src/replay/plan.ts';
import { parse, readRecorded } from '../../src/replay/read.ts';
import { openWorld } from '../sinks/world.ts';

const folder = process.env.SLUICE_CORPUS;
const files = folder === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith('.json'));
const why = folder === undefined ? ' (left out: SLUICE_CORPUS names no folder)' : '';

test.skipIf(folder === undefined)(`every foreign payload comes to what is written down${why}`, async () => {
  expect(files.length).toBeGreaterThan(0);
  const world = await openWorld();

  /** What a handler says to a value, with what became of each record. */
  async function handled(reader: 'project' | 'notify', value: unknown): Promise<string> {
    const before = world.batches.length;
    const answer = await world.take(reader, value as DynamoDBStreamEvent).catch((error: Error) => error);
    if (answer instanceof Error) {
      expect(answer).toBeInstanceOf(ForeignEvent);
      return 'refused';
    }
    const { records = 0, changes = 0, unchanged = 0, ignored = 0, parked = 0 } = world.batches[before] ?? {};
    expect(changes + unchanged + ignored + parked).toBe(records);
    expect(records).toBe((value as DynamoDBStreamEvent).Records.length);
    const failed = answer.batchItemFailures.length;
    return `${records} taken: ${changes} changes, ${unchanged} unchanged, ${ignored} ignored, ${parked} parked, ${failed} failed`;
  }

  const lines: string[] = [];
  for (const name of files) {
    const text = readFileSync(join(folder ?? '', name), 'utf8');
    lines.push(name);
    const replayed = await replayText(world.app, text);
    if (replayed instanceof Error) lines.push(`  replay: ${plain(replayed.message, 300)}`);
    else lines.push(...replayed.records.map((record) => `  replay: ${recordLine(record).trim()}`));
    const value = parsedOf(text);
    if (value !== undefined)
      for (const reader of ['project', 'notify'] as const)
        lines.push(`  ${reader}: ${await handled(reader, value)}`);
  }
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('corpus.txt');
});

async function replayText(app: Parameters<typeof planBatch>[0], text: string): Promise<Replay | Error> {
  try {
    return await planBatch(app, readRecorded(parse(text)));
  } catch (error) {
    if (!(error instanceof ForeignEvent) && !/^It is /.test((error as Error).message)) throw error;
    return error as Error;
  }
}

/** What Lambda would hand to a function: parsed JSON, or nothing where it is none. */
function parsedOf(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}
