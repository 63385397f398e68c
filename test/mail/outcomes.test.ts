/** What SES answers, and what becomes of the row. */
import { SESClient } from '@aws-sdk/client-ses';
import { expect, test } from 'vitest';
import { json } from '../sinks/proxy.ts';
import { allTaken, from } from '../sinks/world.ts';
import { openPost, sesError } from './post.ts';

const post = await openPost();

/** The order's confirmation, sent while SES behaves so; then SES is itself again. */
async function sentWhile(conduct: typeof post.ses.conduct, ...steps: string[]) {
  const order = await post.ordered('pending', ...steps);
  const news = await post.news(order);
  post.ses.conduct = conduct;
  const answer = await post.send(news);
  post.ses.conduct = () => undefined;
  const [row] = await post.rowsOf(order);
  return { order, news, answer, row };
}

test.each([
  ['Throttling', 400],
  ['ThrottlingException', 400],
  ['LimitExceeded', 400],
  ['Throttling', 429],
  ['SomethingNew', 400],
  ['AccountSendingPausedException', 400],
  ['ConfigurationSetSendingPausedException', 400],
  ['MailFromDomainNotVerifiedException', 400],
  ['MessageRejected', 400], // "Email address is not verified": the sender's own, too
  ['AccessDenied', 403],
  ['ExpiredToken', 403],
  ['InvalidClientTokenId', 403],
])(
  '%s (%i) is a no for now: the row waits, the record is answered, and later it is sent',
  async (code, status) => {
    const { order, news, answer, row } = await sentWhile(() => sesError(status, code));
    expect(answer).toEqual(from(news.Records[0]));
    expect(row).toMatchObject({ state: 'waiting', to: expect.any(String), item: expect.any(Object) });
    expect(row).not.toHaveProperty('owner');
    expect(row).not.toHaveProperty('leasedUntil');
    expect(await post.send(news)).toEqual(allTaken);
    expect(await post.mailOf(order)).toHaveLength(1);
  },
);

test('a throttled mail holds back what follows for its item', async () => {
  const { order, news } = await sentWhile(() => sesError(400, 'Throttling'), 'paid', 'shipped');
  expect(post.ses.seen).toHaveLength(1);
  expect(await post.statesOf(order)).toEqual(['waiting', 'waiting']);
  await post.send(news);
  expect(await post.statesOf(order)).toEqual(['sent', 'sent']);
});

test('the client repeats nothing by itself', async () => {
  await sentWhile(() => sesError(400, 'Throttling'));
  expect(post.ses.seen).toHaveLength(1);
});

test.each(['InvalidParameterValue', 'ValidationError'])(
  '%s is a no for good: the row is refused, empty, and holds nobody',
  async (code) => {
    let times = 0;
    const { order, answer, row, news } = await sentWhile(
      () => (++times === 1 ? sesError(400, code) : undefined),
      'paid',
      'shipped',
    );
    expect(answer).toEqual(allTaken);
    expect(row).toMatchObject({ state: 'refused', refusal: code });
    for (const name of ['to', 'item', 'owner', 'leasedUntil']) expect(row).not.toHaveProperty(name);
    expect(await post.statesOf(order)).toEqual(['refused', 'sent']);
    expect(await post.send(news)).toEqual(allTaken);
    expect(await post.mailOf(order)).toHaveLength(1);
  },
);

test.each([
  ['the answer is lost after the mail was accepted', () => 'lost' as const, 1],
  ['the socket is closed before anything was done', () => 'closed' as const, 0],
  ['SES fails inside', () => sesError(500, 'InternalFailure'), 0],
  ['SES gave up on the request', () => sesError(408, 'RequestTimeout'), 0],
  ['SES is not available', () => sesError(503, 'ServiceUnavailable'), 0],
  ['the answer is no answer', () => ({ status: 200, body: '<SendEmailResponse/>' }), 0],
])(
  'when %s, nobody knows whether it went out, and it is never sent again by itself',
  async (_what, conduct, mails) => {
    const { order, news, answer, row } = await sentWhile(conduct);
    expect(answer).toEqual(allTaken);
    expect(row).toMatchObject({ state: 'unknown', policy: 'atMostOnce', to: expect.any(String) });
    expect(row).not.toHaveProperty('due');
    post.clock.milliseconds += 3_600_000;
    expect(await post.send(news)).toEqual(allTaken);
    expect(await post.takenAgain(order)).toEqual(allTaken);
    expect(await post.send(await post.news(order))).toEqual(allTaken);
    expect(post.ses.seen).toHaveLength(1);
    expect(await post.mailOf(order)).toHaveLength(mails);
  },
);

test('a mail of which nobody knows holds nobody', async () => {
  let times = 0;
  const { order } = await sentWhile(() => (++times === 1 ? 'lost' : undefined), 'paid', 'shipped');
  expect(await post.statesOf(order)).toEqual(['unknown', 'sent']);
});

test('where the connection is refused nothing was sent: the row waits', async () => {
  const order = await post.ordered('pending');
  const news = await post.news(order);
  await post.ses.down();
  expect(await post.send(news)).toEqual(from(news.Records[0]));
  await post.ses.up();
  expect(await post.statesOf(order)).toEqual(['waiting']);
  expect(await post.send(news)).toEqual(allTaken);
  expect(await post.mailOf(order)).toHaveLength(1);
});

test('what SES says is kept by its name alone, for its message can hold the address', async () => {
  const { row } = await sentWhile(() => sesError(400, 'InvalidParameterValue'));
  expect(row?.refusal).toBe('InvalidParameterValue');
});

test('when the table fails after the mail went out, the row stays in `sending`, and then nobody knows', async () => {
  const order = await post.ordered('pending');
  const news = await post.news(order);
  post.table.conduct = ({ operation, body }) =>
    operation === 'UpdateItem' && body.includes('"S":"sent"') ? 'closed' : undefined;
  expect(await post.send(news)).toEqual(from(news.Records[0]));
  post.table.conduct = () => undefined;
  expect(await post.statesOf(order)).toEqual(['sending']);
  expect(await post.send(news)).toEqual(from(news.Records[0]));
  post.clock.milliseconds += 30_001;
  expect(await post.send(news)).toEqual(allTaken);
  expect(await post.statesOf(order)).toEqual(['unknown']);
  expect(await post.mailOf(order)).toHaveLength(1);
});

test.each(['leased', 'sending', 'sent'])(
  'a step to `%s` that was written though its answer was lost is no conflict with itself',
  async (state) => {
    const order = await post.ordered('pending');
    const news = await post.news(order);
    let times = 0;
    post.table.conduct = ({ operation, body }) =>
      operation === 'UpdateItem' && body.includes(`"S":"${state}"`) && ++times === 1 ? 'lost' : undefined;
    expect(await post.send(news)).toEqual(allTaken);
    expect(await post.statesOf(order)).toEqual(['sent']);
    expect(await post.mailOf(order)).toHaveLength(1);
  },
);

test.each(['leased', 'sending', 'sent'])(
  'a step to `%s` that meets another’s transaction on its row is tried again',
  async (state) => {
    const order = await post.ordered('pending', 'paid', 'shipped');
    const news = await post.news(order);
    let times = 0;
    post.table.conduct = ({ operation, body }) =>
      operation === 'UpdateItem' && body.includes(`"S":"${state}"`) && ++times <= 3
        ? json(400, {
            __type: 'com.amazonaws.dynamodb.v20120810#TransactionConflictException',
            message: 'no',
          })
        : undefined;
    expect(await post.send(news)).toEqual(allTaken);
    expect(await post.statesOf(order)).toEqual(['sent', 'sent']);
    expect(await post.mailOf(order)).toHaveLength(2);
  },
);

test('an item whose rows cannot be read is answered, and keeps nobody else’s mail', async () => {
  const [one, bad, other] = [
    await post.ordered('pending'),
    await post.ordered('pending'),
    await post.ordered('pending'),
  ];
  const news = await post.news(one, bad, other);
  post.table.conduct = ({ operation, body }) =>
    operation === 'Query' && body.includes(bad) ? 'closed' : undefined;
  expect(await post.send(news)).toEqual(from(news.Records[1]));
  post.table.conduct = () => undefined;
  expect((await Promise.all([one, bad, other].map(post.statesOf))).flat()).toEqual([
    'sent',
    'waiting',
    'sent',
  ]);
});

test.each([
  ['there are no credentials', 'CredentialsProviderError'],
  ['the credentials’ own service fails', 'TimeoutError'],
])('when %s SES was never asked: the row waits', async (_what, name) => {
  const order = await post.ordered('pending');
  const news = await post.news(order);
  const credentials = () => Promise.reject(Object.assign(new Error('no credentials'), { name }));
  const ses = new SESClient({ endpoint: post.ses.url, region: 'eu-central-1', maxAttempts: 1, credentials });
  expect(await post.send(news, { ses })).toEqual(from(news.Records[0]));
  expect(post.ses.seen).toEqual([]);
  expect(await post.statesOf(order)).toEqual(['waiting']);
  expect(await post.send(news)).toEqual(allTaken);
  expect(await post.mailOf(order)).toHaveLength(1);
});
