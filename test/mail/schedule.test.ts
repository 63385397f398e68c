/** What the schedule sees to: mail that nobody sent in time, mail in doubt, and mail that has become too old. */
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { setPaused } from '../../src/deliveries/switches.ts';
import { allTaken } from '../sinks/world.ts';
import { openPost, sesError } from './post.ts';

const post = await openPost();
const { clock } = post;
const minute = 60_000;

const schedule = { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} };
const run = () => post.send(schedule as unknown as DynamoDBStreamEvent);
const pass = (milliseconds: number) => {
  clock.milliseconds += milliseconds;
};

test('a row that no news came of is sent by the schedule, once', async () => {
  const order = await post.ordered('pending');
  expect(await run()).toEqual(allTaken);
  await run();
  expect(await post.mailOf(order)).toHaveLength(1);
  expect(await post.statesOf(order)).toEqual(['sent']);
});

test('a settled row is due no more', async () => {
  const order = await post.ordered('pending');
  await run();
  const [row] = await post.rowsOf(order);
  expect(row).not.toHaveProperty('due');
  expect(row).not.toHaveProperty('queue');
  expect(Number(row?.expires) * 1000).toBeGreaterThan(clock.milliseconds + 30 * 24 * 60 * minute);
});

test('a sender that died with a lease is followed by another once the lease has run out', async () => {
  const order = await post.ordered('pending');
  const [row] = await post.rowsOf(order);
  if (row)
    await post.put({
      ...row,
      state: 'leased',
      owner: 'the dead one',
      leasedUntil: clock.milliseconds + minute,
      due: clock.milliseconds + minute,
    });
  await run();
  expect(await post.statesOf(order)).toEqual(['leased']);
  pass(2 * minute);
  await run();
  expect(await post.statesOf(order)).toEqual(['sent']);
});

test('in doubt, mail that may go at most once stays for a person, for ever', async () => {
  const order = await post.ordered('pending');
  post.ses.conduct = () => 'lost';
  await run();
  post.ses.calm();
  expect(await post.statesOf(order)).toEqual(['unknown']);
  for (let hour = 0; hour < 6; hour++) {
    pass(60 * minute);
    await run();
  }
  expect(await post.statesOf(order)).toEqual(['unknown']);
  expect(await post.mailOf(order)).toHaveLength(1);
});

test('in doubt, mail that must go at least once goes again, but not before SES had its time to report', async () => {
  const order = await post.ordered('pending', 'paid', 'shipped');
  await post.send(await post.news(order));
  const shipped = await post.ordered('pending', 'paid', 'shipped');
  post.ses.conduct = ({ body }) => (body.includes('has%20been%20shipped') ? 'lost' : undefined);
  await run();
  post.ses.calm();
  expect(await post.statesOf(shipped)).toEqual(['sent', 'unknown']);
  pass(14 * minute);
  await run();
  expect(await post.statesOf(shipped)).toEqual(['sent', 'unknown']);
  pass(2 * minute);
  await run();
  expect(await post.statesOf(shipped)).toEqual(['sent', 'sent']);
  expect((await post.mailOf(shipped)).map(({ subject }) => subject.includes('on its way'))).toEqual([
    false,
    true,
    true,
  ]);
});

test('what SES does not want now is tried again by the schedule', async () => {
  const order = await post.ordered('pending');
  post.ses.conduct = () => sesError(400, 'Throttling');
  await run();
  post.ses.calm();
  await run();
  expect(await post.statesOf(order)).toEqual(['waiting']);
  pass(minute);
  await run();
  expect(await post.statesOf(order)).toEqual(['sent']);
});

test('mail older than its declared age is not sent, says so, and holds nobody', async () => {
  const order = await post.ordered('pending', 'paid', 'shipped');
  const [confirmation] = await post.rowsOf(order);
  const before = clock.milliseconds;
  clock.milliseconds = Number(confirmation?.sendBefore) + 1;
  await run();
  const rows = await post.rowsOf(order);
  expect(rows.map(({ state }) => state)).toEqual(['refused', 'refused']);
  expect(rows[0]?.refusal).toMatch(/^too old: it was to go out before 2027-01-15T20:00:00/);
  expect(await post.mailOf(order)).toEqual([]);
  clock.milliseconds = before;
});

test('while email is paused nothing goes out, by news or by schedule; afterwards it does', async () => {
  const order = await post.ordered('pending');
  await setPaused(post.connections, 'email', true, 'somebody');
  pass(2_000);
  expect(await post.send(await post.news(order))).toEqual(allTaken);
  expect(await run()).toEqual(allTaken);
  expect(await post.statesOf(order)).toEqual(['waiting']);
  await setPaused(post.connections, 'email', false, 'somebody');
  pass(2_000);
  await run();
  expect(await post.statesOf(order)).toEqual(['sent']);
});
