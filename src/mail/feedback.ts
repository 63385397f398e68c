/**
 * What SES reports of a mail after it took it, by SNS or EventBridge (SES event publishing). It comes in any order and
 * more than once: a delivery settles what was in doubt, a rejection takes back what was taken for sent.
 */
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { readConfig } from '../config.ts';
import { type Connections, connect } from '../connections.ts';
import { type Right, rights } from '../rights.ts';
import { decodeImage, encodeItem } from '../table/attributes.ts';
import { settleByReport } from './outbox.ts';
import type { MailRow, MailState } from './row.ts';
import { rowTag } from './ses.ts';
import { suppress } from './suppressed.ts';

export type FeedbackHandler = (event: unknown) => Promise<void>;

/** What is said of one mail. */
type Report = {
  eventType?: string;
  notificationType?: string;
  mail?: { messageId?: string; timestamp?: string; tags?: Record<string, string[]> };
  bounce?: { bounceType?: string; bouncedRecipients?: { emailAddress?: string }[] };
  complaint?: { complainedRecipients?: { emailAddress?: string }[] };
  reject?: { reason?: string };
  failure?: { errorMessage?: string };
};

/** The outbox's index by the tag that a mail carries. */
export const tagIndex = 'tag';

export const feedbackRights: readonly Right[] = [
  ...rights('outbox', 'dynamodb:UpdateItem', 'dynamodb:PutItem'),
  ...rights('outbox/index/tag', 'dynamodb:Query'),
];

export function feedbackHandler(): FeedbackHandler {
  let handler: FeedbackHandler | undefined;
  return async function handleFeedback(event) {
    handler ??= openFeedback(connect(readConfig(process.env)));
    return handler(event);
  };
}

export function openFeedback(connections: Connections): FeedbackHandler {
  return async function handleFeedback(event) {
    for (const report of reportsIn(event)) await take(connections, report);
  };
}

/** Throws for what is no report of SES: it was wired to the wrong place. */
function reportsIn(event: unknown): Report[] {
  const { Records, detail, source } = Object(event) as {
    Records?: unknown;
    detail?: unknown;
    source?: unknown;
  };
  if (source === 'aws.ses') return [Object(detail) as Report];
  if (Array.isArray(Records) && Records.every((record) => record?.EventSource === 'aws:sns'))
    return Records.map((record) => JSON.parse(String(record.Sns?.Message)) as Report);
  throw new Error('This is no report of SES: it comes neither by SNS nor by EventBridge from aws.ses.');
}

async function take(connections: Connections, report: Report): Promise<void> {
  const kind = (report.eventType ?? report.notificationType ?? '').replaceAll(' ', '');
  if (kind === 'Bounce' && report.bounce?.bounceType === 'Permanent')
    await suppressAll(connections, report.bounce.bouncedRecipients, 'bounce');
  if (kind === 'Complaint')
    await suppressAll(connections, report.complaint?.complainedRecipients, 'complaint');
  const row = await rowOf(connections, report);
  if (row === undefined) {
    if (isYoung(connections, report))
      throw new Error(
        'SES reports of a mail whose row the index does not show yet: the report must come again.',
      );
    return; // a mail of somebody else's, or of a row that is gone
  }
  const rejected = kind === 'Reject' || kind === 'RenderingFailure';
  if (rejected) await refuse(connections, row, kind);
  else if (kind === 'Delivery' || kind === 'Send' || kind === 'Bounce' || kind === 'Complaint')
    await settleByReport(connections, row, unsettled, {
      state: 'sent',
      messageId: report.mail?.messageId ?? '',
    });
  connections.metrics('feedback', { [`mail.${kind.toLowerCase()}`]: 1 });
}

/** A report with the row's tag says that SES took the mail, also where a person wants it sent again meanwhile. */
const unsettled: readonly MailState[] = ['waiting', 'leased', 'failed', 'sending', 'unknown'];

/** How far the outbox's index may lag behind it, milliseconds. */
const lagMilliseconds = 5 * 60_000;

/** A mail of ours, sent so lately that the index may not show its row yet. */
function isYoung({ now }: Connections, { mail }: Report): boolean {
  return mail?.tags?.[rowTag] !== undefined && now() - Date.parse(mail.timestamp ?? '') < lagMilliseconds;
}

async function refuse(connections: Connections, row: MailRow, kind: string): Promise<void> {
  const refusal = `SES reported: ${kind}`;
  const changes = { state: 'refused', refusal } as const;
  // Also where it was refused so before: whoever wrote that may have died before telling it. Better twice than never.
  if (!(await settleByReport(connections, row, ['sending', 'unknown', 'sent'], changes))) return;
  const { change, email } = row;
  connections.log.error('mail', { change, email, state: 'refused', reason: refusal });
  connections.metrics('feedback', { 'mail.takenBack': 1 });
}

async function suppressAll(
  connections: Connections,
  recipients: readonly { emailAddress?: string }[] | undefined,
  why: string,
): Promise<void> {
  for (const { emailAddress } of recipients ?? [])
    if (emailAddress !== undefined) await suppress(connections, emailAddress, why);
}

async function rowOf({ dynamodb, config }: Connections, { mail }: Report): Promise<MailRow | undefined> {
  const tag = mail?.tags?.[rowTag]?.[0];
  if (tag === undefined) return undefined;
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: config.SLUICE_OUTBOX_TABLE,
      IndexName: tagIndex,
      KeyConditionExpression: '#tag = :tag',
      ExpressionAttributeNames: { '#tag': 'tag' },
      ExpressionAttributeValues: encodeItem({ ':tag': tag }),
    }),
  );
  return Items[0] && (decodeImage(Items[0]) as MailRow);
}
