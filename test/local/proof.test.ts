import { randomUUID } from 'node:crypto';
import { type AttributeValue, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { SendEmailCommandInput } from '@aws-sdk/client-ses';
import { Client } from '@opensearch-project/opensearch';
import { expect, onTestFinished, test } from 'vitest';
import { app, routes } from '../../src/app.ts';
import { redriveHandler } from '../../src/deliveries/handler.ts';
import type { Handlers } from '../../src/local/home.ts';
import type { Step } from '../../src/local/play/step.ts';
import type { Caused } from '../../src/local/proof/caused.ts';
import { compareSearch } from '../../src/local/proof/search.ts';
import { startSearch } from '../../src/local/servers/search.ts';
import { start } from '../../src/local/start.ts';
import { feedbackHandler } from '../../src/mail/feedback.ts';
import { mailHandler } from '../../src/mail/handler.ts';
import { type App, defineApp } from '../../src/pipeline/app.ts';
import { streamHandler } from '../../src/pipeline/stream.ts';
import { orderIdOf, shop } from '../../src/shop/commands.ts';
import { day, onDemand } from '../../src/shop/play/day.ts';
import { warehouse } from '../../src/shop/play/subscriber.ts';
import { readsOf } from '../../src/shop/reads.ts';
import { ensureIndices } from '../../src/sinks/search/indices.ts';
import { marks } from '../../src/sinks/search/plan.ts';
import type { Change } from '../../src/table/change.ts';
import type { Fields } from '../../src/table/entity.ts';
import type { Decoded } from '../../src/table/record.ts';
import {
  altered,
  delayed,
  doubled,
  dropped,
  type Fault,
  faultyApp,
  faultyMail,
  invented,
  misreading,
  reordered,
} from '../support/faults.ts';

type Kind = 'missing' | 'stale' | 'doubled';
type Outcome = {
  status: number;
  proof: Record<Kind | 'repeats', number> & { ok: boolean; findings: string[] };
};
type Tried = {
  /** What the handlers run. */
  handled?: App;
  /** What the proof goes by. */
  believed?: App;
  mail?: Handlers['mail'];
  played?: readonly Step[];
};

async function prove({ handled = app, believed = app, mail, played = day }: Tried): Promise<Outcome> {
  const said: string[] = [];
  const handlers = {
    project: streamHandler(handled, 'project'),
    notify: streamHandler(handled, 'notify'),
    mail: mail ?? mailHandler(handled),
    redrive: redriveHandler(handled),
    feedback: feedbackHandler(),
  };
  const parts = { app: believed, handlers, routes, day: played, onDemand, subscriber: warehouse, readsOf };
  const options = {
    port: 0,
    once: true,
    signal: new AbortController().signal,
    json: true,
    environment: process.env,
    say: (line: string) => void said.push(line),
  };
  const status = await start(parts, options);
  return { status, proof: JSON.parse(said.at(-1) ?? '{}') };
}

/** Fails unless something like each of these was found, and the exit status is 1. */
function expectFound({ status, proof }: Outcome, kinds: readonly Kind[], findings: readonly string[]) {
  for (const finding of findings) expect(proof.findings).toContainEqual(expect.stringMatching(finding));
  for (const kind of kinds) expect(proof[kind]).toBeGreaterThan(0);
  expect(proof.ok).toBe(false);
  expect(status).toBe(1);
}

/** The app, with mails that all say the same. */
function saying(text: string): App {
  const entities = app.entities.map((entity) => {
    const emails = Object.entries(entity.emails).map(([name, email]) => {
      return [name, { ...email, template: { ...email.template, text, html: text } }];
    });
    return { ...entity, emails: Object.fromEntries(emails) };
  });
  return { ...app, entities };
}

const orderOf = (userId: string) => orderIdOf({ userId, idempotencyKey: 'cart-1' });
const itemOf = (userId: string) => `Order/USER#${userId}/ORDER#${orderOf(userId)}`;
const [adas, bobs, cleos] = [itemOf('ada'), itemOf('bob'), itemOf('cleo')];
const product = (id: string) => `Product/PRODUCT#${id}/PRODUCT#${id}`;

const isPlaced = (item: string) => (change: Change) => change.item === item && change.kind === 'insert';
const became = (item: string, status: string) => (change: Change) =>
  change.item === item && change.before !== undefined && change.after?.status === status;
const isShipped = became(adas, 'shipped');
const isCancelled = became(cleos, 'cancelled');
const isRestocked = ({ item, actor }: Change) => item === product('tea') && actor === 'warehouse';
const isRemoved = (item: string) => (change: Change) => change.item === item && change.kind === 'remove';

test('a day without a fault is proved, twice, and the poison record is parked', async () => {
  const { status, proof } = await prove({});
  expect(proof).toMatchObject({
    ok: true,
    items: 12,
    sinks: 5,
    missing: 0,
    stale: 0,
    doubled: 0,
    parked: 1,
    findings: [],
  });
  expect(proof.repeats).toBeGreaterThan(100);
  expect(status).toBe(0);
});

test('what was dropped or is delayed is found in every sink', async () => {
  const sinks = ['search', 'cache', 'audit', 'email', 'bus'];
  const faults: Fault[] = [
    ...sinks.map((sink) => ({ sink, at: isShipped, sends: dropped })),
    ...sinks.map((sink) => ({ sink, at: sink === 'email' ? isPlaced(bobs) : isCancelled, sends: delayed })),
    ...['search', 'cache'].map((sink) => ({ sink, at: isRemoved(product('pot')), sends: dropped })),
    { sink: 'search', at: isPlaced(bobs), sends: dropped },
  ];
  expectFound(
    await prove({ handled: faultyApp(app, faults) }),
    ['missing', 'stale'],
    [
      `search has another status of ${adas}`,
      `search has another status of ${cleos}`,
      `search has no document of ${bobs}`,
      `search still shows products/${product('pot')}, which is gone`,
      `the cache holds an older order:${orderOf('ada')}`,
      `the cache holds an older order:${orderOf('cleo')}`,
      'the cache holds an older product:pot',
      `the audit trail lacks ${adas}`,
      `the audit trail lacks ${cleos}`,
      `the mailbox lacks ${adas}`,
      `the mailbox lacks ${bobs}`,
      `the outbox lacks ${adas}`,
      `the outbox lacks ${bobs}`,
      `the bus lacks ${adas}`,
      `the bus lacks ${cleos}`,
      'the day causes 1 events OrderShipped, 0 came',
      'the day causes 1 mails orderShipped, 0 came',
    ],
  );
});

test('what came twice, otherwise or of nothing is found in every sink', async () => {
  const meta = (changes: Fields) => (request: Fields) => ({ meta: { ...Object(request.meta), ...changes } });
  const lies = { entity: 'Product', actor: 'nobody', late: true, replay: true };
  const other = { change: 'no change', sk: 'none' };
  const faults: Fault[] = [
    ...['audit', 'email', 'bus'].map((sink) => ({ sink, at: isShipped, sends: doubled })),
    { sink: 'search', at: isCancelled, sends: altered({ document: { total: 1 } }) },
    {
      sink: 'audit',
      at: isCancelled,
      sends: altered({ hash: '', kind: 'insert', actor: 'nobody', diff: {} }),
    },
    {
      sink: 'email',
      at: isPlaced(bobs),
      sends: altered({ to: 'eve@example.com', item: { items: [], total: 0, currency: 'EUR' } }),
    },
    {
      sink: 'bus',
      at: isCancelled,
      sends: (event) => [{ ...event, name: 'OrderLost', data: {}, ...meta(lies)(event) }],
    },
    {
      sink: 'search',
      at: isRestocked,
      sends: invented({ index: 'customers', document: { name: 'Green tea' } }),
    },
    { sink: 'audit', at: isRestocked, sends: invented(other) },
    { sink: 'email', at: isPlaced(adas), sends: invented({ ...other, email: 'orderShipped' }) },
    {
      sink: 'bus',
      at: isRestocked,
      sends: (event) => [event, { ...event, ...meta({ eventId: 'no event' })(event) }],
    },
  ];
  expectFound(
    await prove({ handled: faultyApp(app, faults) }),
    ['stale', 'doubled'],
    [
      `search has another createdAt, currency, orderId, products, status, total, userId of ${cleos}`,
      `search still shows customers/${product('tea')}, which is gone`,
      `the audit trail has another actor, diff, hash, kind of ${cleos}`,
      `the audit trail has ${adas}/.* 2 times`,
      `the outbox has ${adas}/.*orderShipped 2 times`,
      `the bus has ${adas}/.*OrderShipped 2 times`,
      'the audit trail has no change, which never happened',
      `the mailbox has another html, subject, text, to of ${bobs}`,
      'the mailbox has a mail with the tag',
      'the outbox has no change/orderShipped, which never happened',
      `the bus has another actor, data, entity, late, name, replay of ${cleos}`,
      'the bus has no event, which never happened',
      'the day causes 0 events OrderLost, 1 came',
      'the day causes 1 mails orderShipped, 3 came',
    ],
  );
});

test('an order that the events themselves deny, and mail that is not as it should be, are found', async () => {
  const held = reordered((event) => {
    const { key, ...meta } = Object(event.meta);
    return { meta: { ...meta, key: { ...key, sk: 'another' }, version: meta.version + 9, late: true } };
  });
  const faults: Fault[] = [
    { sink: 'bus', at: became(adas, 'paid'), sends: held.first },
    { sink: 'bus', at: isShipped, sends: held.second },
  ];
  const isTo = (name: string) => (mail: SendEmailCommandInput) =>
    mail.Destination?.ToAddresses?.includes(`${name}@example.com`) === true;
  const isOfShipping = ({ Message }: SendEmailCommandInput) => /on its way/.test(`${Message?.Subject?.Data}`);
  const bcc = (mail: SendEmailCommandInput) => [
    { ...mail, Destination: { ...mail.Destination, BccAddresses: ['eve@example.com'] } },
  ];
  const mail = faultyMail(saying('nothing'), [
    { at: isOfShipping, sends: (one) => [one, one] },
    { at: isTo('bob'), sends: (one) => [one], replyLost: true },
    { at: isTo('cleo'), sends: bcc },
  ]);
  expectFound(
    await prove({ handled: faultyApp(app, faults), mail }),
    ['stale', 'doubled'],
    [
      `${adas}/.*OrderPaid came after a newer one of its item`,
      `the bus has another key, late, version of ${adas}`,
      `the mailbox has another html, text of ${adas}`,
      `the mailbox has ${adas}/.*orderShipped 2 times`,
      `the mailbox has another html, others, text of ${cleos}`,
      'the day causes 1 mails orderShipped, 2 came',
    ],
  );
});

test('what the decoder does not know is found all the same', async () => {
  const forgetful = misreading(app, (decoded) => {
    if (decoded.verdict !== 'change') return decoded;
    const { change } = decoded;
    if (became(adas, 'paid')(change)) return { verdict: 'ignored', reason: 'forgotten' };
    return { verdict: 'change', change: { ...change, born: false } };
  });
  expectFound(
    await prove({ handled: forgetful, believed: forgetful }),
    ['missing'],
    [
      `a gap before ${adas}`,
      'the day causes 12 changes of kind modify, 11 came',
      'the day causes 4 events OrderPlaced, 0 came',
      'the day causes 1 events OrderPaid, 0 came',
      'the day causes 4 mails orderConfirmation, 0 came',
    ],
  );
});

test('what goes wrong only with what comes again is found', async () => {
  const again = true;
  const refused = { state: 'failed', reason: 'refused', retryable: false } as const;
  const faults: Fault[] = [
    { sink: 'search', at: isShipped, sends: altered({ document: {} }), again },
    { sink: 'audit', at: isShipped, sends: doubled, again },
    { sink: 'bus', at: isShipped, sends: altered({ data: {} }), again },
    { sink: 'email', at: isShipped, sends: dropped, answer: refused, again },
    {
      sink: 'cache',
      at: isRestocked,
      async sends(_key, { store }) {
        await shop(store).restockProduct('tea', 1, { actor: 'nobody', request: randomUUID() });
        return [];
      },
      again,
    },
  ];
  expectFound(
    await prove({ handled: faultyApp(app, faults) }),
    ['stale', 'doubled'],
    [
      `search has another createdAt, currency, orderId, products, status, total, userId of ${adas}`,
      `the audit trail has another sk of ${adas}`,
      `the bus has another data of ${adas}`,
      '0, then 2 parked; expected 0, then 1',
      'the day causes 12 changes of kind modify,',
      'the day causes 1 events ProductRestocked,',
    ],
  );
});

type Edit = { id: string; price: AttributeValue; newVersion?: true };
const free = { S: 'free' };

/**
 * Prices written past Sluice, some of them none. It is the last step of a day, since nobody can read the shop's
 * products from then on.
 */
const edited = (causes: Caused, edits: readonly Edit[]): Step => ({
  title: 'somebody edits prices behind our back',
  causes,
  async play({ dynamodb, tableName, table }) {
    for (const { id, price, newVersion } of edits) {
      const key = { S: `PRODUCT#${id}` };
      const command = new UpdateItemCommand({
        TableName: tableName,
        Key: { [table.pk]: key, [table.sk]: key },
        UpdateExpression: 'SET price = :price, #version = #version + :growth',
        ExpressionAttributeNames: { '#version': table.version },
        ExpressionAttributeValues: { ':price': price, ':growth': { N: newVersion ? '1' : '0' } },
      });
      await dynamodb.send(command);
    }
  },
});

test('an item that does not fit is parked, and search rightly shows its newest version that did', async () => {
  const { status, proof } = await prove({
    played: [...day, edited({ parked: 1 }, [{ id: 'cup', price: free }])],
  });
  expect(proof).toMatchObject({ ok: true, parked: 2, findings: [] });
  expect(status).toBe(0);
});

test('an item that does not fit and is not parked is found, and an even older document of it', async () => {
  const misfit = (decoded: Decoded, item: string) =>
    decoded.verdict === 'parked' && decoded.change?.item === item ? decoded.change : undefined;
  const mending = misreading(app, (decoded) => {
    const { misfit: _, ...change } = misfit(decoded, product('tea')) ?? { misfit: undefined };
    if (!('id' in change)) return decoded;
    return { verdict: 'change', change: { ...change, after: { ...change.before, price: 1 } } };
  });
  const overlooking = misreading(mending, (decoded) =>
    (misfit(decoded, product('cup')) ?? misfit(decoded, product('jam')))
      ? { verdict: 'ignored', reason: 'overlooked' }
      : decoded,
  );
  const isLastOfCups = ({ item, request }: Change) => item === product('cup') && request === 'order-cleo-2';
  const handled = faultyApp(overlooking, [{ sink: 'search', at: isLastOfCups, sends: dropped }]);
  // The tea passes for mended, the jam is mended (and then given a version), the cup stays as it is.
  const broken = edited({ changes: { modify: 3 }, parked: 2 }, [
    { id: 'tea', price: free, newVersion: true },
    { id: 'jam', price: free },
    { id: 'jam', price: { N: '1' } },
    { id: 'cup', price: free },
  ]);
  expectFound(
    await prove({ handled, believed: mending, played: [...day, broken] }),
    ['missing', 'stale'],
    [
      `${product('cup')}/~.* does not fit its entity, and is not parked`,
      `${product('jam')}/~.* does not fit its entity, and is not parked`,
      `${product('tea')}/.* does not fit its entity, and is not parked`,
      `search has another stock of ${product('cup')}`,
      'the cache holds an older product:cup',
      '0, then 1 parked; expected 2, then 3',
    ],
  );
});

test('more documents than a search can answer are compared, and what cannot be is not passed over in silence', async () => {
  const server = await startSearch();
  const client = new Client({ node: server.url });
  onTestFinished(async () => {
    await client.close();
    await server.stop();
  });
  await ensureIndices(client, '', app.entities);
  const put = (ids: readonly string[], document: (id: string) => Fields) =>
    client.bulk({
      body: ids.flatMap((id) => [{ index: { _index: 'products', _id: id } }, document(id)]),
    });
  const ids = Array.from({ length: 10_001 }, (_, index) => `gone ${index}`);
  const gone = { [marks.removedAt]: '2027-01-01T00:00:00Z' };
  const compare = () => compareSearch({ client, prefix: '', app }, { items: [], changes: [], logged: [] });
  await put(ids, (id) => ({ ...gone, [marks.item]: id }));
  await put(['shown'], (id) => ({ name: 'Lamp', [marks.item]: id }));
  expect(await compare()).toMatchObject({
    missing: [],
    stale: ['search still shows products/shown, which is gone'],
  });
  await put(
    ids.slice(0, 1_100).map((id) => `nameless ${id}`),
    () => gone,
  );
  expect((await compare()).missing).toEqual([
    'search has 11102 documents in products, of which only 11000 were compared',
  ]);
});

test('an entity that forgets to clear a cache key is found, though it declares none', async () => {
  const entities = app.entities.map((entity) =>
    entity.name === 'Product' ? { ...entity, cache: () => [] } : entity,
  );
  const forgetful = defineApp({ ...app, entities });
  const { status, proof } = await prove({ handled: forgetful, believed: forgetful });
  expect(status).toBe(1);
  expect(proof.findings.join('\n')).toMatch(/cache holds an older product:/);
});
