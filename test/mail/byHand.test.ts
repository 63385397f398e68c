/** `sluice mail` and what a person decides by it, as they are typed. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { settleMail } from '../../src/mail/decide.ts';
import { openFeedback } from '../../src/mail/feedback.ts';
import { lease } from '../../src/mail/outbox.ts';
import { type MailRow, tagOf } from '../../src/mail/row.ts';
import { rowTag } from '../../src/mail/ses.ts';
import { openPost, sesError } from './post.ts';

const post = await openPost();
// The commands look at the real clock.
post.clock.milliseconds = Date.now();
const root = new URL('../..', import.meta.url).pathname;

function mail(...args: string[]): Promise<{ status: number; out: string; told: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'bin/sluice.js'), 'mail', ...args, '--aws'], (error, out, told) =>
      resolve({ status: Number(error?.code ?? 0), out, told }),
    );
  });
}

const decide = (row: MailRow, as: string) =>
  mail('settle', row.change, row.email, '--as', as, '--reason', 'she wrote');

/** An order whose mail waits, of an hour ago by the real clock. */
async function ordered(...steps: string[]): Promise<string> {
  const order = await post.ordered(...steps);
  const hour = 3_600_000;
  const now = Date.now();
  const times = { occurredAt: new Date(now - hour).toISOString(), sendBefore: now + hour };
  for (const row of await post.rowsOf(order)) await post.put({ ...row, ...times });
  return order;
}

/** An order whose confirmation met this answer of SES; its row. */
async function confirmedWhile(conduct: typeof post.ses.conduct): Promise<MailRow> {
  const order = await ordered('pending');
  post.ses.conduct = conduct;
  await post.send(await post.news(order));
  post.ses.conduct = () => undefined;
  return (await rowNow(order)) ?? expect.fail();
}

const rowNow = async (order: string) => (await post.rowsOf(order))[0];
const inDoubt = () => confirmedWhile(() => 'lost');

/** The sender, told of the row as it is now. */
async function sendNow({ pk }: MailRow): Promise<number> {
  const before = post.ses.seen.length;
  await post.send(await post.news(pk));
  return post.ses.seen.length - before;
}

const why = { by: 'dora', reason: 'she wrote' };

const reportDelivery = (row: MailRow) =>
  openFeedback(post.connections)({
    source: 'aws.ses',
    detail: { eventType: 'Delivery', mail: { messageId: 'm1', tags: { [rowTag]: [tagOf(row)] } } },
  });

test('mail says what has not gone out, why and since when, and no address', async () => {
  expect((await mail()).out).toBe('All mail has gone out.\n');
  const doubted = await inDoubt();
  const waiting = await confirmedWhile(() => sesError(400, 'MessageRejected'));
  const refused = await confirmedWhile(() => sesError(400, 'ValidationError'));
  await confirmedWhile(() => undefined);
  const { status, out, told } = await mail();
  expect({ status, told }).toEqual({ status: 0, told: '' });
  const since = String.raw`1; the oldest of \S+Z \(\d+ \w+\)`;
  const such = ({ change, email }: MailRow) => `such as ${change} ${email}`;
  expect(out).toMatch(new RegExp(`^in doubt, waits for a person \\(atMostOnce\\): ${since}$`, 'm'));
  expect(out).toContain(such(doubted));
  expect(out).toMatch(new RegExp(`^on its way: ${since}$`, 'm'));
  expect(out).toContain(`1 × MessageRejected, ${such(waiting)}`);
  expect(out).toMatch(new RegExp(`^refused, for good: ${since}$`, 'm'));
  expect(out).toContain(`1 × ValidationError, ${such(refused)}`);
  const lines = (await mail('--json')).out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ change, state }) => ({ change, state }))).toEqual([
    { change: doubted.change, state: 'unknown' },
    { change: waiting.change, state: 'waiting' },
    { change: refused.change, state: 'refused' },
  ]);
  expect(out + JSON.stringify(lines)).not.toContain('@');
});

test('mail in doubt that has arrived is settled, empty, and sent to nobody again', async () => {
  const row = await inDoubt();
  const { status, out } = await decide(row, 'sent');
  expect(status).toBe(0);
  expect(out).toMatch(/^orderConfirmation of \S+ was unknown in the AWS account .*, and counts as sent\.$/m);
  const settled = await rowNow(row.pk);
  expect(settled).toMatchObject({ state: 'sent', expires: expect.any(Number) });
  for (const name of ['to', 'item', 'owner', 'refusal']) expect(settled).not.toHaveProperty(name);
  expect(await sendNow(row)).toBe(0);
  expect((await mail()).out).not.toContain(row.change);
});

test('mail in doubt that is wanted again goes out once more, and the audit trail keeps who and why', async () => {
  const row = await inDoubt();
  expect((await decide(row, 'again')).out).toContain('was unknown');
  // The outbox's stream tells the sender of new rows only: what is wanted again is found by the schedule.
  post.clock.milliseconds = Date.now() + 60_000;
  await post.send({ 'detail-type': 'Scheduled Event' } as unknown as DynamoDBStreamEvent);
  expect(await rowNow(row.pk)).toMatchObject({ state: 'sent' });
  expect(await post.mailOf(row.pk)).toHaveLength(2);
  const trail = await post.auditRows(row.pk);
  expect(trail).toContainEqual(
    expect.objectContaining({
      kind: 'mailSettled',
      mailSettled: `${row.change}/orderConfirmation`,
      as: 'again',
      state: 'unknown',
      reason: 'she wrote',
      actor: expect.stringMatching(/./),
    }),
  );
  expect(JSON.stringify(trail)).not.toContain('@example.com');
});

test('mail that SES does not take for its recipient is given up, and holds its item no more', async () => {
  const order = await ordered('pending', 'paid', 'shipped');
  post.ses.conduct = () => sesError(400, 'MessageRejected');
  await post.send(await post.news(order));
  post.ses.conduct = () => undefined;
  const [row] = await post.rowsOf(order);
  expect((await decide(row ?? expect.fail(), 'never')).status).toBe(0);
  await post.send(await post.news(order));
  expect(await post.statesOf(order)).toEqual(['refused', 'sent']);
  expect(await post.mailOf(order)).toHaveLength(1);
});

test('what cannot be decided is said, and nothing is changed', async () => {
  const sent = await confirmedWhile(() => undefined);
  const doubted = await inDoubt();
  const old = { ...doubted, sendBefore: Date.now() - 1 };
  await post.put(old);
  const told = async (row: MailRow, as: string) => {
    const { status, told } = await decide(row, as);
    expect(status).toBe(1);
    return told;
  };
  expect(await told(sent, 'again')).toContain(
    'This mail is sent: "again" is for one that is unknown or failed.',
  );
  expect(await told(old, 'again')).toContain('This mail is too old');
  expect(await told(old, 'later')).toContain('Allowed choices are sent, again, never.');
  expect(await told({ ...old, email: 'orderShipped' }, 'sent')).toContain('There is no mail orderShipped of');
  expect((await mail('settle', old.change, old.email, '--as', 'sent')).told).toContain('--reason <text>');
  expect(await rowNow(sent.pk)).toEqual(sent);
  expect(await rowNow(old.pk)).toEqual(old);
  expect(await post.auditRows(old.pk)).toEqual([]);
});

test('a mail of which SES reports that it has it is not sent again, though a person wanted it', async () => {
  const row = await inDoubt();
  await decide(row, 'again');
  await reportDelivery(row);
  expect(await rowNow(row.pk)).toMatchObject({ state: 'sent', messageId: 'm1' });
  expect(await sendNow(row)).toBe(0);
});

test.each([
  ['another person decides', (row: MailRow) => settleMail(post.connections, row, 'sent', why)],
  ['a report of SES comes', (row: MailRow) => reportDelivery(row)],
])('where %s while a person does, that stands, and the person is told', async (_what, meanwhile) => {
  const row = await inDoubt();
  post.table.conduct = async ({ operation }) => {
    if (operation !== 'TransactWriteItems') return undefined;
    post.table.conduct = () => undefined;
    await meanwhile(row);
    return undefined;
  };
  await expect(settleMail(post.connections, row, 'never', why)).rejects.toThrow(
    'Nothing was decided: something became of the mail meanwhile. Look again.',
  );
  expect(await rowNow(row.pk)).toMatchObject({ state: 'sent' });
  expect((await post.auditRows(row.pk)).filter(({ as }) => as === 'never')).toEqual([]);
});

test('mail that a sender has just taken is not given up', async () => {
  const row = await confirmedWhile(() => sesError(400, 'Throttling'));
  post.table.conduct = async ({ operation }) => {
    if (operation !== 'TransactWriteItems') return undefined;
    post.table.conduct = () => undefined;
    expect(await lease(post.connections, row, 'a sender')).toBe(true);
    return undefined;
  };
  await expect(settleMail(post.connections, row, 'never', why)).rejects.toThrow('Nothing was decided');
  expect(await rowNow(row.pk)).toMatchObject({ state: 'leased', owner: 'a sender' });
});

test('an address that bounced is mailed again once somebody allows it', async () => {
  const order = await ordered('pending');
  const [waiting] = await post.rowsOf(order);
  const address = waiting?.to ?? expect.fail();
  await openFeedback(post.connections)({
    source: 'aws.ses',
    detail: {
      eventType: 'Bounce',
      bounce: { bounceType: 'Permanent', bouncedRecipients: [{ emailAddress: address }] },
      mail: {},
    },
  });
  expect((await mail()).out).toMatch(/^addresses that get no mail: 1 after a bounce$/m);
  const allow = () => mail('allow', address.toUpperCase(), '--reason', 'a new mailbox');
  expect(await allow()).toMatchObject({ status: 0, out: expect.stringContaining('again') });
  expect(await allow()).toMatchObject({ status: 1, out: expect.stringContaining('is not suppressed') });
  expect((await mail()).out).not.toContain('addresses that get no mail');
  expect(await sendNow(waiting ?? expect.fail())).toBe(1);
});
