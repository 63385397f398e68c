/** What becomes of mails is counted: alarms go by it. */
import { expect, test } from 'vitest';
import { setPaused } from '../../src/deliveries/switches.ts';
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

test('mail that this deployment cannot make is counted each time that it is tried', async () => {
  const order = await post.ordered('pending');
  const [row] = await post.rowsOf(order);
  if (row) await post.put({ ...row, email: 'fax' });
  const news = await post.news(order);
  const counted = () => countedBy((metrics) => post.send(news, { metrics }));
  expect(await counted()).toEqual({ 'mail.failed': 1 });
  expect(await counted()).toEqual({});
  post.clock.milliseconds += 15 * 60_000;
  expect(await counted()).toEqual({ 'mail.failed': 1 });
});

test('mail in doubt waits for a person only where it must not go twice', async () => {
  const order = await post.ordered('pending', 'paid', 'shipped');
  expect(await countedFor(order, () => 'lost')).toEqual({ 'mail.inDoubt': 1, 'mail.unknown': 1 });
});

test('mail that SES does not want now is counted each time that it is not sent, and once when it is', async () => {
  const order = await post.ordered('pending');
  const throttled = () => countedFor(order, () => sesError(400, 'Throttling'));
  expect(await throttled()).toEqual({ 'mail.notSent': 1 });
  expect(await throttled()).toEqual({ 'mail.notSent': 1 });
  expect(await countedFor(order)).toEqual({ 'mail.sent': 1 });
});

test('why mail is not sent is logged', async () => {
  const order = await post.ordered('pending');
  const logged: unknown[] = [];
  const log = {
    ...post.connections.log,
    warn: (message: string, fields: unknown) => void logged.push([message, fields]),
  };
  post.ses.conduct = () => sesError(400, 'AccountSendingPausedException');
  await post.send(await post.news(order), { log });
  const [row] = await post.rowsOf(order);
  const { change, email } = Object(row);
  expect(logged).toEqual([
    ['mail', { change, email, state: 'waiting', reason: 'AccountSendingPausedException' }],
  ]);
});

/** The ages that a run of the schedule tells. */
async function oldestTold() {
  const ages: unknown[] = [];
  const schedule = { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} };
  const metrics: typeof post.connections.metrics = (name, values) => {
    if ('oldestMailSeconds' in values) ages.push([name, values.oldestMailSeconds]);
  };
  await post.send(schedule as never, { metrics });
  return ages;
}

test('each run of the schedule tells how old the oldest mail is that waits, however often it was tried', async () => {
  await oldestTold(); // sends what other tests have left
  expect(await oldestTold()).toEqual([['mail', 0]]);
  const order = await post.ordered('pending');
  const [row] = await post.rowsOf(order);
  const changed = Date.parse(String(row?.occurredAt));
  const seconds = () => Math.floor((post.clock.milliseconds - changed) / 1000);
  post.ses.conduct = () => sesError(400, 'MessageRejected');
  for (let minute = 0; minute < 20; minute++) {
    post.clock.milliseconds += 60_000;
    expect(await oldestTold()).toEqual([['mail', seconds()]]);
  }
  expect(seconds()).toBeGreaterThan(900);
  post.ses.calm();
  post.clock.milliseconds += 60_000;
  expect(await oldestTold()).toEqual([['mail', 0]]);
  expect(await post.statesOf(order)).toEqual(['sent']);
});

test('the age is told also while email is paused, and where the rows cannot be read', async () => {
  const order = await post.ordered('pending');
  const [row] = await post.rowsOf(order);
  const changed = Date.parse(String(row?.occurredAt));
  post.clock.milliseconds = changed + 1_800_000;
  await setPaused(post.connections, 'email', true, 'somebody');
  expect(await oldestTold()).toEqual([['mail', 1_800]]);
  await setPaused(post.connections, 'email', false, 'somebody');
  post.table.conduct = ({ operation, body }) =>
    operation === 'Query' && body.includes(order) ? 'closed' : undefined;
  expect(await oldestTold()).toEqual([['mail', 1_800]]);
  post.table.calm();
  expect(await oldestTold()).toEqual([['mail', 0]]);
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
