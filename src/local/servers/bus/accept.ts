import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { ACCOUNT, type BusEvent } from './buses.ts';
import { notValid } from './fault.ts';

const entry = z.object({
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  Time: z.number().optional(),
  Resources: z.array(z.string()).default([]),
  EventBusName: z.string().optional(),
});
type Entry = z.infer<typeof entry>;
export const putEventsInput = z.object({ Entries: z.array(entry) });

/** One entry's outcome: the event to deliver, or why not. */
export type Outcome = { busName: string | undefined; event: BusEvent } | { code: string; message: string };

const REQUIRED = ['Source', 'DetailType', 'Detail'] as const;
const MOST_BYTES = 1024 * 1024; // "the total entry size must be less than 1MB" (API reference of PutEvents)

/** What EventBridge does with the entries of one call, in order; throws where it refuses them all. */
export function accept(entries: Entry[], region: string, now: number): Outcome[] {
  if (entries.length < 1 || entries.length > 10) {
    const bound = entries.length < 1 ? 'greater than or equal to 1' : 'less than or equal to 10';
    throw notValid(
      `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length ${bound}`,
    );
  }
  if (entries.reduce((sum, one) => sum + sizeOf(one), 0) >= MOST_BYTES) {
    throw notValid('Total size of the entries in the request is over the limit.');
  }
  // The documentation fails a call whose entries all lack these. Recorded on AWS (LocalStack's
  // test_put_events_without_source), an entry that lacks one alone still gets its own result.
  if (entries.every((one) => REQUIRED.every((name) => !one[name]))) {
    throw notValid('Source, DetailType and Detail are required in at least one entry.');
  }
  return entries.map((one) => outcomeOf(one, region, now));
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size */
function sizeOf({ Time, Source, DetailType, Detail, Resources }: Entry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), Time === undefined ? 0 : 14);
}

function outcomeOf(one: Entry, region: string, now: number): Outcome {
  const { Source, DetailType, Detail } = one;
  if (!Source || !DetailType || !Detail) {
    const missing = REQUIRED.find((name) => !one[name]);
    const message = `Parameter ${missing} is not valid. Reason: ${missing} is a required argument.`;
    return { code: 'InvalidArgument', message };
  }
  const detail = readObject(Detail);
  if (detail === undefined) return { code: 'MalformedDetail', message: 'Detail is malformed.' };
  const time = new Date(one.Time === undefined ? now : one.Time * 1000);
  const event: BusEvent = {
    version: '0',
    id: randomUUID(),
    'detail-type': DetailType,
    source: Source,
    account: ACCOUNT,
    time: time.toISOString().replace(/\.\d+Z$/, 'Z'), // whole seconds, as delivered by EventBridge
    region,
    resources: one.Resources,
    detail,
  };
  return { busName: one.EventBusName, event };
}

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
