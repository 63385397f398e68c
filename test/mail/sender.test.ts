import type { DynamoDBStreamEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { tagOf } from '../../src/mail/row.ts';
import { rowTag } from '../../src/mail/ses.ts';
import { allTaken, from } from '../sinks/world.ts';
import { eventOf } from '../support/records.ts';
import { newsOf, openPost } from './post.ts';

const post = await openPost();

test('a waiting row becomes one mail, from the shop to the customer', async () => {
  const order = await post.ordered('pending');
  expect(await post.send(await post.news(order))).toEqual(allTaken);
  const [mail, ...more] = await post.mailOf(order);
  expect(more).toEqual([]);
  const id = order.replace(/.*%?ORDER#/, '');
  expect(mail).toMatchObject({ source: 'shop@example.com', to: [`${id}@example.com`], cc: [], bcc: [] });
  expect(mail?.subject).toBe(`Your order ${id}`);
  expect(mail?.text).toContain('1 × Lamp: 20.00 EUR');
  expect(mail?.html).toContain('<td>1 × Lamp</td><td align="right">20.00 EUR</td>');
});

test('the mail carries its row as a message tag, so that what SES reports can be told apart', async () => {
  const order = await post.ordered('pending');
  const [row] = await post.rowsOf(order);
  await post.send(await post.news(order));
  const [mail] = await post.mailOf(order);
  expect(mail?.tags).toEqual({ [rowTag]: row && tagOf(row) });
  expect(mail?.tags[rowTag]).toMatch(/^[A-Za-z0-9_-]{1,256}$/);
});

test.each([
  ['shop-mail', 'ConfigurationSetName=shop-mail'],
  [undefined, undefined],
])('the mail names the configuration set %s, by which SES reports of it', async (name, said) => {
  const order = await post.ordered('pending');
  post.ses.calm();
  const { SLUICE_SES_CONFIGURATION_SET: _, ...config } = post.config;
  const named = { ...config, ...(name !== undefined && { SLUICE_SES_CONFIGURATION_SET: name }) };
  await post.send(await post.news(order), { config: named });
  const asked = post.ses.seen.map(({ body }) => /ConfigurationSetName=[^&]*/.exec(body)?.[0]);
  expect(asked).toEqual([said]);
});

test('a sent row keeps which mail it was, but neither its content nor its address', async () => {
  const order = await post.ordered('pending');
  const [waiting] = await post.rowsOf(order);
  await post.send(await post.news(order));
  const [mail] = await post.mailOf(order);
  const { to: _, item: __, due: ___, queue: ____, ...kept } = Object(waiting);
  expect(await post.rowsOf(order)).toEqual([
    { ...kept, state: 'sent', messageId: mail?.messageId, expires: expect.any(Number) },
  ]);
});

test('a row goes through lease and sending, and is `sending` before SES is asked', async () => {
  const order = await post.ordered('pending');
  const states: string[] = [];
  post.ses.conduct = async () => {
    states.push(...(await post.statesOf(order)));
    return undefined;
  };
  await post.send(await post.news(order));
  expect(states).toEqual(['sending']);
  const updates = post.table.seen.filter(({ operation }) => operation === 'UpdateItem');
  const steps = updates.map(({ body }) => /"S":"(leased|sending|sent)"/.exec(body)?.[1]);
  expect(steps).toEqual(['leased', 'sending', 'sent']);
});

test('the same news again mails nothing', async () => {
  const order = await post.ordered('pending', 'paid', 'shipped');
  const news = await post.news(order);
  for (let times = 0; times < 3; times++) expect(await post.send(news)).toEqual(allTaken);
  expect(await post.mailOf(order)).toHaveLength(2);
});

test('changes that are taken again after their mail was sent leave its row alone', async () => {
  const order = await post.ordered('pending', 'paid', 'shipped');
  await post.send(await post.news(order));
  const rows = await post.rowsOf(order);
  expect(await post.takenAgain(order)).toEqual(allTaken);
  expect(await post.rowsOf(order)).toEqual(rows);
  expect(await post.send(await post.news(order))).toEqual(allTaken);
  expect(post.ses.seen).toHaveLength(2);
});

test('an item’s mail goes out in the order of its versions, whatever the order of the news', async () => {
  const orders = [
    await post.ordered('pending', 'paid', 'shipped'),
    await post.ordered('pending', 'paid', 'shipped'),
  ];
  const news = await post.news(...orders);
  await post.send({ Records: news.Records.toReversed() });
  for (const order of orders) {
    const subjects = (await post.mailOf(order)).map(({ subject }) => subject);
    expect(subjects.map((text) => text.includes('on its way'))).toEqual([false, true]);
  }
});

test('news of one row sends what else of its item is waiting', async () => {
  const order = await post.ordered('pending', 'paid', 'shipped');
  const news = await post.news(order);
  await post.send({ Records: news.Records.slice(1) });
  expect(await post.mailOf(order)).toHaveLength(2);
});

test('of an item whose mail must wait, the first record is answered; other items’ mail goes out', async () => {
  const [one, held, other] = [
    await post.ordered('pending'),
    await post.ordered('pending', 'paid', 'shipped'),
    await post.ordered('pending'),
  ];
  const news = await post.news(one, held, other);
  const [row] = await post.rowsOf(held);
  const leasedUntil = post.clock.milliseconds + 10_000;
  if (row) await post.put({ ...row, state: 'leased', owner: 'another', leasedUntil });
  expect(await post.send(news)).toEqual(from(news.Records[1]));
  expect(await post.statesOf(held)).toEqual(['leased', 'waiting']);
  expect([...(await post.statesOf(one)), ...(await post.statesOf(other))]).toEqual(['sent', 'sent']);
});

test('rows that fill more than one page are all read', async () => {
  const order = await post.ordered('pending');
  const [row] = await post.rowsOf(order);
  const text = 'x'.repeat(300_000); // few of them fill a page of 1 MB
  const more = Array.from({ length: 8 }, (_, index) => `9${index}`);
  for (const sk of more) if (row) await post.put({ ...row, sk, item: { ...row.item, text } });
  expect(await post.send(await post.news(order))).toEqual(allTaken);
  expect(await post.mailOf(order)).toHaveLength(9);
});

test('news that nothing is waiting asks nobody', async () => {
  const order = await post.ordered('pending');
  await post.send(await post.news(order));
  post.table.seen.length = 0;
  const [row] = await post.rowsOf(order);
  const gone = { ...newsOf({ ...Object(row) }), eventName: 'REMOVE' as const };
  expect(
    await post.send(
      eventOf(...(row ? [newsOf(row)] : []), { ...gone, dynamodb: { Keys: gone.dynamodb?.Keys ?? {} } }),
    ),
  ).toEqual(allTaken);
  expect(await post.send(eventOf())).toEqual(allTaken);
  expect(post.table.seen).toEqual([]);
});

test.each([
  ['nothing', undefined],
  ['an SQS event', { Records: [{ messageId: '1', eventSource: 'aws:sqs', body: '{}' }] }],
])('%s is refused: it would be lost', async (_what, event) => {
  await expect(post.send(event as DynamoDBStreamEvent)).rejects.toThrow(
    'This is no batch of a DynamoDB stream',
  );
});
