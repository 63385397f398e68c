/** What becomes of mails is counted: alarms go by it. */
import { expect, test } from 'vitest';
import { openFeedback } from '../../src/mail/feedback.ts';
import { tagOf } from '../../src/mail/row.ts';
import { rowTag } from '../../src/mail/ses.ts';
import { suppress } from '../../src/mail/suppressed.ts';
import { openPost, sesError } from './post.ts';

const post = await openPost();

/** What is counted while this is done. */
async function countedBy(work: (metrics: typeof post.connections.metrics) => Promise<unknown>) {
  const counts: Record<string, number> = {};
  await work((_function, values) => {
    for (const [name, value] of Object.entries(values)) counts[name] = (counts[name] ?? 0) + value;
  });
  return counts;
}

async function countedFor(order: string, conduct: typeof post.ses.conduct = () => undefined) {
  const news = await post.news(order);
  post.ses.conduct = conduct;
  const counts = await countedBy((metrics) => post.send(news, { metrics }));
  post.ses.conduct = () => undefined;
  return counts;
}

test('mail that is sent, and mail that SES refuses', async () => {
  expect(await countedFor(await post.ordered('pending'))).toEqual({ 'mail.sent': 1 });
  const refused = await countedFor(await post.ordered('pending'), () => sesError(400, 'ValidationError'));
  expect(refused).toEqual({ 'mail.refused': 1 });
});

test('mail in doubt waits for a person only where it must not go twice', async () => {
  const order = await post.ordered('pending', 'paid', 'shipped');
  expect(await countedFor(order, () => 'lost')).toEqual({ 'mail.inDoubt': 1, 'mail.unknown': 1 });
});

test('mail that is only throttled is counted once, when it is sent', async () => {
  const order = await post.ordered('pending');
  expect(await countedFor(order, () => sesError(400, 'Throttling'))).toEqual({});
  expect(await countedFor(order)).toEqual({ 'mail.sent': 1 });
});

test('mail to a suppressed address', async () => {
  const order = await post.ordered('pending');
  const [row] = await post.rowsOf(order);
  await suppress(post.connections, String(row?.to), 'bounce');
  expect(await countedFor(order)).toEqual({ 'mail.suppressed': 1 });
});

test('mail that is too old', async () => {
  const order = await post.ordered('pending');
  const [row] = await post.rowsOf(order);
  if (row) await post.put({ ...row, sendBefore: 1 });
  expect(await countedFor(order)).toEqual({ 'mail.tooOld': 1 });
});

test('mail that SES takes and rejects later is counted each time it says so: who heard it first may have died', async () => {
  const order = await post.ordered('pending');
  await countedFor(order);
  const [row] = await post.rowsOf(order);
  const mail = { tags: { [rowTag]: [row && tagOf(row)] } };
  const report = { source: 'aws.ses', detail: { eventType: 'Reject', mail } };
  const counts = await countedBy(async (metrics) => {
    const feedback = openFeedback({ ...post.connections, metrics });
    await feedback(report);
    await feedback(report);
  });
  expect(counts).toEqual({ 'mail.reject': 2, 'mail.takenBack': 2 });
});
