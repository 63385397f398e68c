/**
 * The sender's Lambda: fed by the outbox table's stream, and by a schedule, which takes what was due meanwhile. What of
 * the stream must be tried again is answered as failed.
 */
import type {
  Context,
  DynamoDBBatchResponse,
  DynamoDBRecord,
  DynamoDBStreamEvent,
  ScheduledEvent,
} from 'aws-lambda';
import { readConfig } from '../config.ts';
import { type Connections, connect } from '../connections.ts';
import { openSwitches } from '../deliveries/switches.ts';
import type { App } from '../pipeline/app.ts';
import { ForeignEvent, isFromStream, readBatch } from '../pipeline/batch.ts';
import { whatWasThrown } from '../pipeline/thrown.ts';
import { type Right, rights } from '../rights.ts';
import { dueMail } from './outbox.ts';
import { openPace } from './pace.ts';
import { type ItemOutcome, type Run, sendDue } from './sender.ts';

export type MailHandler = (
  event: DynamoDBStreamEvent | ScheduledEvent,
  context?: Pick<Context, 'getRemainingTimeInMillis'>,
) => Promise<DynamoDBBatchResponse>;

export const mailRights: readonly Right[] = [
  ...rights('deliveries', 'dynamodb:BatchGetItem'),
  ...rights('outbox', 'dynamodb:Query', 'dynamodb:UpdateItem', 'dynamodb:GetItem'),
  ...rights('outbox/index/due', 'dynamodb:Query'),
  ...rights('mail', 'ses:SendEmail'),
];

/** Items that one run of the schedule looks at, at most. */
const mostItems = 200;

/** What is left of the invocation when no mail is begun any more, milliseconds: longer than a lease lasts. */
const marginMilliseconds = 40_000;

const nothing = { batchItemFailures: [] };

export function mailHandler(app: App): MailHandler {
  let handler: MailHandler | undefined;
  return async function handleOutbox(event, context) {
    handler ??= openMail(app, connect(readConfig(process.env)));
    return handler(event, context);
  };
}

export function openMail(app: App, connections: Connections): MailHandler {
  const switches = openSwitches(connections, ['email']);
  const perSecond = Number(connections.config.SLUICE_MAIL_PER_SECOND);
  const pace = openPace({ perSecond, now: connections.now, wait: connections.wait });
  return async function handleOutbox(event, context) {
    const remaining = () => context?.getRemainingTimeInMillis?.() ?? Number.POSITIVE_INFINITY;
    const run: Run = { pace, hasTime: () => remaining() >= marginMilliseconds };
    // Whoever pauses email wants no mail to go out: the rows wait for the schedule.
    const isPaused = async () => (await switches.read()).get('email')?.paused === true;
    if (isSchedule(event)) {
      const due = await dueMail(connections, mostItems);
      const left = (await isPaused()) ? [...due.values()] : await sendAll(app, connections, due, run);
      connections.metrics('mail', { oldestMailSeconds: oldestSeconds(connections.now(), left) });
      return nothing;
    }
    const records = readBatch(event).map(({ raw }) => raw);
    // What else is sent here, such as a Kinesis stream, would be answered as done, and its mails never go out.
    if (!records.every(isFromStream)) throw new ForeignEvent(event);
    const waiting = (records as DynamoDBRecord[]).filter(isWaiting);
    if (waiting.length === 0 || (await isPaused())) return nothing;
    const later = new Set<string>();
    for (const item of new Set(waiting.map(itemOf))) {
      if ((await outcomeFor(app, connections, item, run)).outcome === 'later') later.add(item);
    }
    const first = waiting.find((record) => later.has(itemOf(record)));
    return {
      batchItemFailures:
        first === undefined ? [] : [{ itemIdentifier: first.dynamodb?.SequenceNumber ?? '' }],
    };
  };
}

/** Since when each item waits whose mail is not out. */
async function sendAll(
  app: App,
  connections: Connections,
  due: ReadonlyMap<string, number>,
  run: Run,
): Promise<number[]> {
  const left: number[] = [];
  for (const [item, since] of due) {
    const found = await outcomeFor(app, connections, item, run, since);
    if (found.outcome === 'later') left.push(found.since);
  }
  return left;
}

/** A change that has no time has no age. */
function oldestSeconds(now: number, times: readonly number[]): number {
  const ages = times.filter((time) => time > 0).map((time) => Math.floor((now - time) / 1000));
  return Math.max(0, ...ages);
}

function isSchedule(event: DynamoDBStreamEvent | ScheduledEvent): event is ScheduledEvent {
  return 'detail-type' in Object(event) && !('Records' in event);
}

/** Whatever goes wrong with one item's mail, the others' goes out. */
async function outcomeFor(
  app: App,
  connections: Connections,
  item: string,
  run: Run,
  since = 0,
): Promise<ItemOutcome> {
  try {
    return await sendDue(app, connections, item, run);
  } catch (error) {
    connections.log.warn('mail', { state: 'later', reason: whatWasThrown(error) });
    return { outcome: 'later', since };
  }
}

function isWaiting(record: DynamoDBRecord): boolean {
  return record?.dynamodb?.NewImage?.state?.S === 'waiting';
}

function itemOf(record: DynamoDBRecord): string {
  return record.dynamodb?.Keys?.pk?.S ?? '';
}
