/** Payloads that nobody of ours wrote: each is understood, or refused by name; none is dropped without a word. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { readParked } from '../../src/deliveries/records.ts';
import { plain } from '../../src/local/live/plain.ts';
import { scan } from '../../src/local/proof/truth.ts';
import { recordLine } from '../../src/ops/replay/lines.ts';
import { type App, defineApp } from '../../src/pipeline/app.ts';
import { type Entry, ForeignEvent, readBatch } from '../../src/pipeline/batch.ts';
import { decodeSafely, openStream } from '../../src/pipeline/stream.ts';
import { planBatch, type Replay } from '../../src/replay/plan.ts';
import { parse, readRecorded } from '../../src/replay/read.ts';
import { audit } from '../../src/sinks/audit/sink.ts';
import { decodeImage, type Image } from '../../src/table/attributes.ts';
import { defineEntity, type Entity, type Fields } from '../../src/table/entity.ts';
import type { StreamRecord } from '../../src/table/record.ts';
import { defineTable } from '../../src/table/table.ts';
import { openWorld } from '../sinks/world.ts';

const folder = process.env.SLUICE_CORPUS;
const files = folder === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith('.json'));
const isLeftOut = folder === undefined;
const why = isLeftOut ? ' (left out: SLUICE_CORPUS names no folder)' : '';

test.skipIf(isLeftOut)(`every foreign payload comes to what is written down${why}`, async () => {
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
    await expectParked(value as DynamoDBStreamEvent);
    const failed = answer.batchItemFailures.length;
    return `${records} taken: ${changes} changes, ${unchanged} unchanged, ${ignored} ignored, ${parked} parked, ${failed} failed`;
  }

  /** What is parked lies in the deliveries table, exactly as it came. */
  async function expectParked(event: DynamoDBStreamEvent): Promise<void> {
    const refused = readBatch(event).filter((entry) => decodeSafely(world.app, entry).verdict === 'parked');
    const rows = readParked(await world.allParkedRows());
    for (const { raw } of refused) expect(rows.map(({ record }) => record)).toContainEqual(raw);
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

/**
 * The records of a file as a table with their key attributes would give them: what Sluice stamps is added to their
 * items, all else stays. So nothing is ignored for its key, and every value is really decoded.
 */
type Taken = { app: App; event: DynamoDBStreamEvent };

function takenForOurs(entries: readonly Entry[]): Taken | string {
  const records = entries.flatMap(({ record }) => ('missing' in record ? [] : [record]));
  const names = Object.keys(Object(records[0]?.dynamodb?.Keys));
  const [pk, sk] = names;
  if (pk === undefined || sk === undefined)
    return `left out: its key has ${names.length === 1 ? 'one attribute' : 'no attributes'}, not two`;
  const thing = defineEntity({
    name: 'Thing',
    schema: z.object({ sluicePk: z.string(), sluiceSk: z.string() }),
    key: { pk: '{sluicePk}', sk: '{sluiceSk}', from: 'natural' },
    audit: {},
  });
  const table = defineTable({
    pk,
    sk,
    type: 'sluiceType',
    version: 'sluiceVersion',
    ttl: 'sluiceTtl',
    stamps: 'sluiceStamp_',
  });
  const stamped = (image: Image | undefined): Image | undefined =>
    image && { ...image, sluiceType: { S: 'Thing' }, sluicePk: image[pk], sluiceSk: image[sk] };
  const ours = ({ dynamodb = {}, ...record }: StreamRecord) => {
    const { NewImage, OldImage } = dynamodb;
    const images = { NewImage: stamped(NewImage), OldImage: stamped(OldImage) };
    return { eventSource: 'aws:dynamodb', ...record, dynamodb: { ...dynamodb, ...images } };
  };
  return {
    app: defineApp({ table, entities: [thing] as unknown as Entity[], sinks: [audit] }),
    // As it would come over the wire: no member is undefined.
    event: JSON.parse(JSON.stringify({ Records: records.map(ours) })),
  };
}

test.skipIf(isLeftOut)(
  `every foreign payload, taken for one of our own tables, is decoded to the last value${why}`,
  async () => {
    const world = await openWorld();
    const lines: string[] = [];
    for (const name of files) {
      lines.push(name);
      const entries = entriesOf(readFileSync(join(folder ?? '', name), 'utf8'));
      if (entries instanceof Error) {
        lines.push('  no records');
        continue;
      }
      const taken = takenForOurs(entries);
      if (typeof taken === 'string') {
        lines.push(`  ${taken}`);
        continue;
      }
      const { app, event } = taken;
      const { records } = await planBatch(app, readBatch(event));
      expect(await openStream(app, 'project', world.connections)(event)).toEqual({ batchItemFailures: [] });
      const trail = (await auditRows(world)).map(({ change }) => change);
      const parked = readParked(await world.allParkedRows()).map(({ record }) => record);
      for (const record of records) {
        lines.push(`  ${recordLine(record).trim()}`);
        const [row] = record.plans.audit as { occurredAt: string; diff: Record<string, object> }[];
        if (row !== undefined) {
          lines.push(`      ${row.occurredAt} version ${record.version}`);
          const own = Object.entries(row.diff).filter(([field]) => !field.startsWith('sluice'));
          for (const [field, difference] of own)
            lines.push(`      ${plain(field)} ${plain(JSON.stringify(difference), 400)}`);
        }
        if (record.id !== null) expect(trail).toContain(record.id);
        if (record.verdict === 'parked') expect(parked).toContainEqual(event.Records[record.record]);
      }
    }
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('corpus-as-ours.txt');
  },
);

async function auditRows({ dynamodb, config }: Awaited<ReturnType<typeof openWorld>>): Promise<Fields[]> {
  return (await scan(dynamodb, config.SLUICE_AUDIT_TABLE)).map((image) => decodeImage(image));
}

function entriesOf(text: string): Entry[] | Error {
  try {
    return readRecorded(parse(text));
  } catch (error) {
    return error as Error;
  }
}

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
