/** What the sender's function is given, and what it hands to SES beside the mail itself. */
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { replayTag, rowTag } from '../../src/mail/ses.ts';
import { ForeignEvent } from '../../src/pipeline/batch.ts';
import { openStream } from '../../src/pipeline/stream.ts';
import { fresh, history, nameOf, orderAt, purchase } from '../sinks/items.ts';
import { allTaken, from } from '../sinks/world.ts';
import { eventOf } from '../support/records.ts';
import { openPost } from './post.ts';

const post = await openPost();

test('a mail that a replay asked for says so in a tag of the message, another has none', async () => {
  const form = orderAt(1, purchase(fresh('again')));
  const replay = openStream(post.app, 'notify', post.connections, { replay: true });
  await replay(eventOf(...history(undefined, form)));
  const plain = await post.ordered('pending');
  expect(await post.send(await post.news(nameOf(form), plain))).toEqual(allTaken);
  const [replayed] = await post.mailOf(nameOf(form));
  const [first] = await post.mailOf(plain);
  expect(replayed?.tags).toEqual({ [rowTag]: expect.any(String), [replayTag]: 'true' });
  expect(first?.tags).toEqual({ [rowTag]: expect.any(String) });
});

/** A time to end at, which is up as soon as SES has been asked so often. */
const endsAfter = (mails: number) => () => (post.ses.seen.length < mails ? 40_000 : 39_999);

test('with less than 40 seconds left no mail is begun: the stream is handed back the first, the rest waits', async () => {
  const orders = [
    await post.ordered('pending', 'paid', 'shipped'),
    await post.ordered('pending'),
    await post.ordered('pending'),
  ];
  const states = async () => (await Promise.all(orders.map(post.statesOf))).flat();
  const news = await post.news(...orders);
  expect(await post.send(news, {}, endsAfter(1))).toEqual(from(news.Records[0]));
  expect(await states()).toEqual(['sent', 'waiting', 'waiting', 'waiting']);
  expect(await post.send(news, {}, endsAfter(3))).toEqual(from(news.Records[3]));
  expect(await states()).toEqual(['sent', 'sent', 'sent', 'waiting']);
  const schedule = { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} };
  expect(await post.send(schedule as never, {}, endsAfter(3))).toEqual(allTaken);
  expect(await states()).toEqual(['sent', 'sent', 'sent', 'waiting']);
  expect(await post.send(schedule as never, {}, endsAfter(4))).toEqual(allTaken);
  expect(await states()).toEqual(['sent', 'sent', 'sent', 'sent']);
});

const kinesis = (data: unknown) => ({
  eventSource: 'aws:kinesis',
  kinesis: { sequenceNumber: '1', data: Buffer.from(JSON.stringify(data)).toString('base64') },
});

test('a batch of anything but a DynamoDB stream is refused by name, and its mails are not passed over', async () => {
  const order = await post.ordered('pending');
  const { Records } = await post.news(order);
  const refused: [unknown[], string][] = [
    [Records.map(kinesis), 'a batch of a Kinesis stream'],
    [[...Records, kinesis({})], 'a batch of a DynamoDB stream and of something else'],
    [[...Records, null], 'a batch of a DynamoDB stream and of something else'],
  ];
  for (const [records, name] of refused) {
    const sent = post.send({ Records: records } as DynamoDBStreamEvent);
    await expect(sent).rejects.toThrow(ForeignEvent);
    await expect(sent).rejects.toThrow(name);
  }
  expect(await post.statesOf(order)).toEqual(['waiting']);
  expect(await post.send({ Records })).toEqual(allTaken);
  expect(await post.statesOf(order)).toEqual(['sent']);
});
