/** What SES reports: it settles what was in doubt, and takes back what was not sent after all. */
import { expect, test } from 'vitest';
import { scan } from '../../src/local/proof/truth.ts';
import { isPlainAddress } from '../../src/mail/address.ts';
import { openFeedback } from '../../src/mail/feedback.ts';
import { tagOf } from '../../src/mail/row.ts';
import { rowTag } from '../../src/mail/ses.ts';
import { openPost } from './post.ts';

const post = await openPost();
const logged: string[] = [];
const log = { ...post.connections.log, error: (message: string) => void logged.push(message) };
const feedback = openFeedback({ ...post.connections, log });

const minute = 60_000;

/** A report as SES publishes it, of an order's last row. */
async function reportOf(order: string, eventType: string, more: Record<string, unknown> = {}) {
  const row = (await post.rowsOf(order)).at(-1);
  return {
    eventType,
    mail: { messageId: 'from-ses', tags: { [rowTag]: [row && tagOf(row)] }, destination: ['x@example.com'] },
    ...more,
  };
}

const bySns = (...reports: unknown[]) => ({
  Records: reports.map((report) => ({ EventSource: 'aws:sns', Sns: { Message: JSON.stringify(report) } })),
});
const byEventBridge = (report: unknown) => ({
  source: 'aws.ses',
  'detail-type': 'Email Delivered',
  detail: report,
});

const outbox = () => scan(post.dynamodb, post.config.SLUICE_OUTBOX_TABLE);
const outboxText = async () => JSON.stringify(await outbox()).toLowerCase();

async function inDoubt(...steps: string[]): Promise<string> {
  const order = await post.ordered(...steps);
  post.ses.conduct = () => 'lost';
  await post.send(await post.news(order));
  post.ses.calm();
  return order;
}

test.each([
  ['by SNS', bySns],
  ['by EventBridge', byEventBridge],
])(
  'a delivery that is reported %s settles mail in doubt, which then goes no second time',
  async (_how, wrapped) => {
    const order = await inDoubt('pending', 'paid', 'shipped');
    expect(await post.statesOf(order)).toContain('unknown');
    const event = wrapped(await reportOf(order, 'Delivery'));
    await feedback(event);
    await feedback(event);
    const [last] = (await post.rowsOf(order)).slice(-1);
    expect(last).toMatchObject({ state: 'sent', messageId: 'from-ses' });
    expect(last).not.toHaveProperty('to');
    post.clock.milliseconds += 60 * minute;
    await post.send(await post.news(order));
    expect(
      (await post.mailOf(order)).filter(({ tags }) => tags[rowTag] === (last && tagOf(last))),
    ).toHaveLength(1);
  },
);

test.each(['Reject', 'Rendering Failure'])(
  '%s takes back what was taken for sent, with an alarm',
  async (kind) => {
    const order = await post.ordered('pending');
    await post.send(await post.news(order));
    expect(await post.statesOf(order)).toEqual(['sent']);
    logged.length = 0;
    await feedback(bySns(await reportOf(order, kind)));
    expect(await post.statesOf(order)).toEqual(['refused']);
    expect((await post.rowsOf(order))[0]?.refusal).toContain('SES reported');
    expect(logged).toEqual(['mail']);
  },
);

test('a rejection is told though the reply to writing it was lost', async () => {
  const order = await post.ordered('pending');
  await post.send(await post.news(order));
  logged.length = 0;
  let times = 0;
  post.table.conduct = ({ operation }) => (operation === 'UpdateItem' && ++times === 1 ? 'lost' : undefined);
  await feedback(bySns(await reportOf(order, 'Reject')));
  expect(times).toBeGreaterThan(1);
  expect(await post.statesOf(order)).toEqual(['refused']);
  expect(logged).toEqual(['mail']);
});

test('in whatever order reports come, a rejection stands', async () => {
  const order = await post.ordered('pending');
  await post.send(await post.news(order));
  const [rejected, delivered] = [await reportOf(order, 'Reject'), await reportOf(order, 'Delivery')];
  await feedback(bySns(rejected, delivered));
  expect(await post.statesOf(order)).toEqual(['refused']);
});

test.each([
  ['Bounce', { bounce: { bounceType: 'Permanent' } }],
  ['Complaint', { complaint: {} }],
])('%s: the address is mailed no more, and kept nowhere in the clear', async (kind, more) => {
  const order = await post.ordered('pending');
  const to = `${(await post.rowsOf(order))[0]?.to}`;
  expect(await outboxText()).toContain(to);
  const recipients = [{ emailAddress: to.toUpperCase() }];
  const detail = Object.fromEntries(
    Object.entries(more).map(([name, value]) => [
      name,
      { ...value, bouncedRecipients: recipients, complainedRecipients: recipients },
    ]),
  );
  await feedback(bySns({ ...(await reportOf(order, kind)), ...detail, mail: { tags: {} } }));
  await post.send(await post.news(order));
  expect(await post.statesOf(order)).toEqual(['refused']);
  expect((await post.rowsOf(order))[0]?.refusal).toBe(`the address is suppressed: ${kind.toLowerCase()}`);
  expect(await post.mailOf(order)).toEqual([]);
  expect(await outboxText()).not.toContain(to);
});

test('a bounce that passes suppresses nobody', async () => {
  const order = await post.ordered('pending');
  const to = (await post.rowsOf(order))[0]?.to;
  const bounce = { bounceType: 'Transient', bouncedRecipients: [{ emailAddress: to }] };
  await feedback(bySns({ ...(await reportOf(order, 'Bounce', { bounce })), mail: { tags: {} } }));
  await post.send(await post.news(order));
  expect(await post.statesOf(order)).toEqual(['sent']);
});

test('a report of somebody else’s mail changes nothing; what is no report is refused', async () => {
  await inDoubt('pending'); // which any report of a delivery would settle
  const before = await outbox();
  await feedback(
    bySns({ eventType: 'Delivery', mail: { messageId: '1', tags: { [rowTag]: ['unheard-of'] } } }),
  );
  await feedback(bySns({ eventType: 'Delivery', mail: {} }));
  expect(await outbox()).toEqual(before);
  await expect(feedback({ Records: [{ eventSource: 'aws:sqs' }] })).rejects.toThrow('no report of SES');
});

test('a report that comes before the index shows its row is not taken for somebody else’s: it comes again', async () => {
  const timestamp = new Date(post.clock.milliseconds).toISOString();
  const mail = { messageId: '1', timestamp, tags: { [rowTag]: ['not-shown-yet'] } };
  const report = byEventBridge({ eventType: 'Reject', mail });
  await expect(feedback(report)).rejects.toThrow('the report must come again');
  post.clock.milliseconds += 5 * minute;
  await feedback(report); // by now the index would show it
  const others = { ...mail, timestamp: new Date(post.clock.milliseconds).toISOString(), tags: {} };
  await feedback(byEventBridge({ eventType: 'Reject', mail: others }));
});

test.each([
  ['a@example.com\r\nBcc: b@example.com', false],
  ['a@example.com, b@example.com', false],
  ['a@example.com;b@example.com', false],
  ['"a b" <a@example.com>', false],
  ['Ada <a@example.com>', false],
  ['ä@example.com', false],
  ['a@b@example.com', false],
  ['a@localhost', false],
  [`${'a'.repeat(65)}@example.com`, false],
  [' a@example.com', false],
  ['', false],
  ["ada.o'hara+tag@mail.example.co", true],
])('the address %j is one that may be mailed: %s', (address, fits) => {
  expect(isPlainAddress(address)).toBe(fits);
});

test('an address that is none is refused before SES is asked', async () => {
  const order = await post.ordered('pending');
  const [row] = await post.rowsOf(order);
  if (row) await post.put({ ...row, to: 'a@example.com, b@example.com' });
  post.ses.seen.length = 0;
  await post.send(await post.news(order));
  expect((await post.rowsOf(order))[0]).toMatchObject({
    state: 'refused',
    refusal: 'the address is not one plain address',
  });
  expect(post.ses.seen).toEqual([]);
});

test('once a delivery is reported, nothing tells any more that it was in doubt', async () => {
  const order = await inDoubt('pending');
  expect((await post.rowsOf(order))[0]).toHaveProperty('refusal');
  await feedback(bySns(await reportOf(order, 'Delivery')));
  expect((await post.rowsOf(order))[0]).not.toHaveProperty('refusal');
});
