/** For tests, `sluice/test`: what recorded changes cause, without sending anything. */
import { readFile } from 'node:fs/promises';
import { app as ourApp } from './app.ts';
import type { App } from './pipeline/app.ts';
import { planBatch, type Replay, type Replayed } from './replay/plan.ts';
import { parse, readRecorded } from './replay/read.ts';

export type { Replay, Replayed };

/**
 * Plans a batch: what each record is, what each sink would be asked to do for it, and what each function would answer
 * if every service took everything.
 *
 * `batch`: a recording's path or URL; or what is in one: an event of a DynamoDB or Kinesis stream, a record, a list of
 * either. `app`: whose entities and sinks; the one in `src/app.ts` if none is given. Throws `ForeignEvent` for what
 * holds no records.
 */
export async function replay(batch: unknown, app: App = ourApp): Promise<Replay> {
  const isFile = typeof batch === 'string' || batch instanceof URL;
  return planBatch(app, readRecorded(isFile ? parse(await readFile(batch, 'utf8')) : batch));
}
