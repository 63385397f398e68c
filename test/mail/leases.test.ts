/** Several senders at one item: whoever does not hold the lease can change nothing. */
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MailRow } from '../../src/mail/row.ts';
import type { Conduct, Seen } from '../sinks/proxy.ts';
import { allTaken, from } from '../sinks/world.ts';
import { openPost, sesError } from './post.ts';

const post = await openPost();

const isStep = ({ operation, body }: Seen, state: string) =>
  operation === 'UpdateItem' && body.includes(`"S":"${state}"`) && body.includes('SET');

/** Holds the first request that matches until it is let go. */
function hold(matches: (seen: Seen) => boolean) {
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let times = 0;
  const conduct = async (seen: Seen): Promise<Conduct> => {
    if (matches(seen) && ++times === 1) {
      reached.resolve();
      await released.promise;
    }
    return undefined;
  };
  return { conduct, reached: reached.promise, letGo: () => released.resolve() };
}

async function waitingRow(changes: Partial<MailRow> = {}) {
  const order = await post.ordered('pending', 'paid', 'shipped');
  const news = await post.news(order);
  const [row] = await post.rowsOf(order);
  if (row === undefined) throw new Error('There is one.');
  await post.put({ ...row, ...changes });
  return { order, news };
}

test.each(['leased', 'sending'] as const)(
  'a row that another sender has `%s` is left to it while its lease lasts, and holds back what follows',
  async (state) => {
    const leasedUntil = post.clock.milliseconds;
    const { order, news } = await waitingRow({ state, owner: 'another', leasedUntil });
    expect(await post.send(news)).toEqual(from(news.Records[0]));
    expect((await post.rowsOf(order))[0]).toMatchObject({ state, owner: 'another', leasedUntil });
    expect(await post.statesOf(order)).toEqual([state, 'waiting']);
    expect(await post.mailOf(order)).toEqual([]);
  },
);

test('a row whose lease has run out is taken over and sent', async () => {
  const leasedUntil = post.clock.milliseconds - 1;
  const { order, news } = await waitingRow({ state: 'leased', owner: 'another', leasedUntil });
  expect(await post.send(news)).toEqual(allTaken);
  expect(await post.statesOf(order)).toEqual(['sent', 'sent']);
  expect(await post.mailOf(order)).toHaveLength(2);
});

test('a row left in `sending` past its lease is unknown: it is not sent, and holds nobody', async () => {
  const leasedUntil = post.clock.milliseconds - 1;
  const { order, news } = await waitingRow({ state: 'sending', owner: 'another', leasedUntil });
  expect(await post.send(news)).toEqual(allTaken);
  expect(await post.statesOf(order)).toEqual(['unknown', 'sent']);
  expect(await post.mailOf(order)).toHaveLength(1);
});

test('a lease lasts thirty seconds', async () => {
  const { order, news } = await waitingRow();
  const first = hold((seen) => isStep(seen, 'sending'));
  post.table.conduct = first.conduct;
  const sending = post.send(news);
  await first.reached;
  expect((await post.rowsOf(order))[0]).toMatchObject({
    state: 'leased',
    leasedUntil: post.clock.milliseconds + 30_000,
  });
  first.letGo();
  await sending;
});

test('who was overtaken after its lease sends nothing and can change nothing', async () => {
  const { order, news } = await waitingRow();
  const slow = hold((seen) => isStep(seen, 'sending'));
  post.table.conduct = slow.conduct;
  const overtaken = post.send(news);
  await slow.reached;
  post.clock.milliseconds += 30_001;
  expect(await post.send(news)).toEqual(allTaken);
  const rows = await post.rowsOf(order);
  slow.letGo();
  expect(await overtaken).toEqual(from(news.Records[0]));
  expect(await post.rowsOf(order)).toEqual(rows);
  expect(await post.mailOf(order)).toHaveLength(2);
});

test('who was overtaken cannot take the other sender’s `sending` for its own', async () => {
  const { order, news } = await waitingRow();
  const slow = hold((seen) => isStep(seen, 'sending'));
  post.table.conduct = slow.conduct;
  const overtaken = post.send(news);
  await slow.reached;
  post.clock.milliseconds += 30_001;
  const mailing = hold(() => true);
  post.ses.conduct = mailing.conduct;
  const second = post.send(news);
  await mailing.reached;
  slow.letGo();
  expect(await overtaken).toEqual(from(news.Records[0]));
  mailing.letGo();
  expect(await second).toEqual(allTaken);
  expect(await post.mailOf(order)).toHaveLength(2);
});

test('who was overtaken cannot go on under the other sender’s lease', async () => {
  const { order, news } = await waitingRow();
  const [slow, faster] = [hold((seen) => isStep(seen, 'sending')), hold((seen) => isStep(seen, 'sending'))];
  post.table.conduct = slow.conduct;
  const overtaken = post.send(news);
  await slow.reached;
  post.clock.milliseconds += 30_001;
  post.table.conduct = faster.conduct;
  const second = post.send(news);
  await faster.reached;
  const [leased] = await post.rowsOf(order);
  slow.letGo();
  expect(await overtaken).toEqual(from(news.Records[0]));
  expect((await post.rowsOf(order))[0]).toEqual(leased);
  expect(post.ses.seen).toEqual([]);
  faster.letGo();
  expect(await second).toEqual(allTaken);
  expect(await post.mailOf(order)).toHaveLength(2);
});

test('the lease begins anew when SES is asked: what came before has taken its time', async () => {
  const { order, news } = await waitingRow();
  const late = hold((seen) => seen.operation === 'GetItem');
  post.table.conduct = late.conduct;
  const mailing = hold(() => true);
  post.ses.conduct = mailing.conduct;
  const sending = post.send(news);
  await late.reached;
  post.clock.milliseconds += 29_000;
  late.letGo();
  await mailing.reached;
  const leasedUntil = post.clock.milliseconds + 30_000;
  expect((await post.rowsOf(order))[0]).toMatchObject({ state: 'sending', leasedUntil, due: leasedUntil });
  post.clock.milliseconds += 5_000;
  expect(await post.send(news)).toEqual(from(news.Records[0]));
  mailing.letGo();
  expect(await sending).toEqual(allTaken);
  expect(await post.statesOf(order)).toEqual(['sent', 'sent']);
});

/** The confirmation's sender, whom SES answers so only after another sender has given the mail up. */
async function answeredLate(reply: Conduct) {
  const { order, news } = await waitingRow();
  const mailing = hold(() => true);
  post.ses.conduct = async (seen) => {
    await mailing.conduct(seen);
    return seen.body.includes('has%20been%20shipped') ? undefined : reply;
  };
  const slow = post.send(news);
  await mailing.reached;
  post.clock.milliseconds += 30_001;
  expect(await post.send(news)).toEqual(allTaken);
  expect(await post.statesOf(order)).toEqual(['unknown', 'sent']);
  mailing.letGo();
  await slow;
  const [row] = await post.rowsOf(order);
  return { order, row };
}

test('a mail that SES took very long over is unknown for others, until its sender knows that it was sent', async () => {
  const { order, row } = await answeredLate(undefined);
  const [mail] = (await post.mailOf(order)).slice(-1);
  expect(row).toMatchObject({ state: 'sent', messageId: mail?.messageId });
  for (const name of ['to', 'item', 'owner', 'due', 'queue']) expect(row).not.toHaveProperty(name);
  expect(await post.mailOf(order)).toHaveLength(2);
});

test('what SES refused at last is not in doubt any more', async () => {
  const { row } = await answeredLate(sesError(400, 'InvalidParameterValue'));
  expect(row).toMatchObject({ state: 'refused', refusal: 'InvalidParameterValue' });
});

test('what SES did not want at last waits, and the schedule finds it', async () => {
  const { order, row } = await answeredLate(sesError(400, 'Throttling'));
  expect(row).toMatchObject({ state: 'waiting', queue: expect.any(String), due: expect.any(Number) });
  post.ses.calm();
  post.clock.milliseconds += 60_000;
  const schedule = { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} };
  await post.send(schedule as never);
  expect(await post.statesOf(order)).toEqual(['sent', 'sent']);
});

test('who was given up, and whose mail another sends again, does not settle the other’s', async () => {
  const { order, news } = await waitingRow({ policy: 'atLeastOnce' });
  const [first, second] = [hold(() => true), hold(() => true)];
  post.ses.conduct = first.conduct;
  const slow = post.send(news);
  await first.reached;
  post.clock.milliseconds += 30_001;
  expect(await post.send(news)).toEqual(allTaken);
  post.clock.milliseconds += 15 * 60_000;
  post.ses.conduct = second.conduct;
  const again = post.send(news);
  await second.reached;
  const [row] = await post.rowsOf(order);
  first.letGo();
  await slow;
  expect((await post.rowsOf(order))[0]).toEqual(row);
  second.letGo();
  expect(await again).toEqual(allTaken);
  expect(await post.statesOf(order)).toEqual(['sent', 'sent']);
});

test('two senders at once send one mail', async () => {
  const { order, news } = await waitingRow();
  const answers = await Promise.all([post.send(news), post.send(news)]);
  for (let tries = 0; answers.some(({ batchItemFailures }) => batchItemFailures.length > 0); tries++) {
    expect(tries).toBeLessThan(5);
    answers.splice(0, 2, await post.send(news));
  }
  expect(await post.statesOf(order)).toEqual(['sent', 'sent']);
  expect(await post.mailOf(order)).toHaveLength(2);
});

test('however many senders meet, however slow each step is, each mail goes out once and in order', async () => {
  const plan = fc.record({
    senders: fc.integer({ min: 2, max: 4 }),
    delays: fc.array(fc.nat(8), { minLength: 1, maxLength: 20 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ senders, delays }) => {
      const { order, news } = await waitingRow();
      let step = 0;
      const slowly = async () => {
        await wait(delays[step++ % delays.length]);
        return undefined;
      };
      post.table.conduct = slowly;
      post.ses.conduct = slowly;
      await Promise.all(
        Array.from({ length: senders }, async (_, index) => {
          await wait(delays[index % delays.length]);
          await post.send(news);
        }),
      );
      post.table.conduct = () => undefined;
      post.ses.conduct = () => undefined;
      expect(await post.send(news)).toEqual(allTaken);
      const subjects = (await post.mailOf(order)).map(({ subject }) => subject.includes('on its way'));
      expect(subjects).toEqual([false, true]);
      expect(await post.statesOf(order)).toEqual(['sent', 'sent']);
    }),
    { numRuns: 15 },
  );
});
