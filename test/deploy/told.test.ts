/** Each metric of ours that an alarm watches is told, under its namespace and function, when that happens. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord, ScheduledEvent } from 'aws-lambda';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { app } from '../../src/app.ts';
import { mostAttempts } from '../../src/deliveries/backoff.ts';
import { openRedrive } from '../../src/deliveries/handler.ts';
import { holdKey, unitOf } from '../../src/deliveries/rows.ts';
import { openFeedback } from '../../src/mail/feedback.ts';
import { openMail } from '../../src/mail/handler.ts';
import { type MailRow, tagOf } from '../../src/mail/row.ts';
import { rowTag } from '../../src/mail/ses.ts';
import { openMetrics } from '../../src/metrics.ts';
import { sinkNames } from '../../src/ops/names.ts';
import { openStream, type Reader } from '../../src/pipeline/stream.ts';
import { encodeItem } from '../../src/table/attributes.ts';
import { openPost } from '../mail/post.ts';
import { fresh, history, lamp, nameOf, orderAt, productAt, purchase } from '../sinks/items.ts';
import { json, type Seen } from '../sinks/proxy.ts';
import { eventOf, recordOf } from '../support/records.ts';
import { alarms, metricsOf } from './alarms.ts';
import type { Json } from './template.ts';

const post = await openPost();
const { proxies, clock } = post;
const folder = mkdtempSync(join(tmpdir(), 'sluice-told-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const told = new Set<string>();
beforeEach(() => told.clear());
const metrics = openMetrics({
  namespace: 'Sluice/sluice-dev',
  now: () => clock.milliseconds,
  write(line) {
    const { _aws, ...values } = JSON.parse(line);
    for (const { Namespace, Dimensions, Metrics } of _aws.CloudWatchMetrics)
      for (const { Name } of Metrics)
        told.add(
          formOf(Namespace, Object.fromEntries(Dimensions[0].map((of: string) => [of, values[of]])), Name),
        );
  },
});
const config = { ...post.config, SLUICE_FAILURES: pathToFileURL(folder).href };
const connections = { ...post.connections, config, metrics };
const sinks = new Set([...sinkNames(app), 'adoption']);

/** What differs between sinks is only their name; that they are named rightly the alarms' own test says. */
function formOf(namespace: string, dimensions: Record<string, string>, name: string): string {
  const [sink = '', state] = name.split('.');
  const form = state !== undefined && sinks.has(sink) ? `*.${state}` : name;
  return `${namespace} ${JSON.stringify(dimensions)} ${form}`;
}

const take = (reader: Reader, ...records: DynamoDBRecord[]) =>
  openStream(app, reader, connections)(eventOf(...records));

function redrive() {
  clock.milliseconds += 3_600_000; // longer than anything waits for its next try
  return openRedrive(app, connections)();
}

const someOrder = () => history(undefined, orderAt(1, purchase(fresh('order'))));
const someLamp = () => productAt(1, lamp(fresh('lamp')));
const misfit = recordOf({ after: { pk: 'USER#x', sk: 'PROFILE', _type: 'Customer', version: 1 } });
const down = () => ({ status: 503, body: '{}' });
const allDown = () => {
  proxies.search.conduct = down;
  proxies.bus.conduct = down;
};
const forBulk = (items: unknown[]) => {
  proxies.search.conduct = ({ path }: Seen) => (path.includes('_bulk') ? json(200, { items }) : undefined);
};

async function takeUntilBroken(reader: Reader) {
  allDown();
  const handler = openStream(app, reader, connections);
  for (let call = 0; call < 4; call++) await handler(eventOf(...someOrder()));
}

async function takeUnparked(reader: Reader) {
  allDown();
  post.refuseParking();
  await take(reader, ...someOrder());
}

/** An order whose mail waits, as its rows are changed; then the sender is told of it. */
async function send(change: (row: MailRow) => MailRow = (row) => row, ...steps: string[]): Promise<string> {
  const order = await post.ordered('pending', ...steps);
  for (const row of await post.rowsOf(order)) await post.put(change(row));
  await post.send(await post.news(order), { metrics });
  return order;
}

/** By the function that tells it. */
const situations: Record<string, Record<string, () => Promise<unknown>>> = {
  project: {
    parked: () => take('project', misfit),
    '*.breakerOpen': () => takeUntilBroken('project'),
    '*.failed': () => takeUnparked('project'),
    // Another past of a version that has its row.
    async '*.refused'() {
      const form = someLamp();
      await take('project', ...history(undefined, form));
      await take('project', ...history(undefined, { ...form, price: 99 }));
    },
  },
  notify: {
    parked: () => take('notify', misfit),
    '*.breakerOpen': () => takeUntilBroken('notify'),
    '*.failed': () => takeUnparked('notify'),
    async '*.refused'() {
      proxies.bus.conduct = () =>
        json(200, { FailedEntryCount: 1, Entries: [{ ErrorCode: 'MalformedDetail' }] });
      await take('notify', ...someOrder());
    },
  },
  redrive: {
    oldestParkedSeconds: () => redrive(),
    async '*.refused'() {
      const form = someLamp();
      allDown();
      await take('project', ...history(undefined, form));
      forBulk([{ index: { status: 400, error: { type: 'mapper_parsing_exception' } } }]);
      await redrive();
    },
    async '*.dead'() {
      const form = someLamp();
      forBulk([]); // an answer that says nothing of it counts against it
      await take('project', ...history(undefined, form));
      await post.dynamodb.send(
        new UpdateItemCommand({
          TableName: config.SLUICE_DELIVERIES_TABLE,
          Key: encodeItem({ pk: unitOf('search', nameOf(form)), sk: holdKey }),
          UpdateExpression: 'SET attempts = :almost',
          ExpressionAttributeValues: encodeItem({ ':almost': mostAttempts - 1 }),
        }),
      );
      await redrive();
    },
    async 'batches.left'() {
      writeFileSync(join(folder, 'broken.json'), '{"payload":');
      await redrive();
    },
  },
  mail: {
    oldestMailSeconds: () =>
      openMail(app, connections)({ 'detail-type': 'Scheduled Event' } as ScheduledEvent),
    'mail.refused': () => send((row) => ({ ...row, to: 'no address' })),
    'mail.failed': () => send((row) => ({ ...row, email: 'notDeclaredHere' })),
    'mail.tooOld': () => send((row) => ({ ...row, sendBefore: 1 })),
    async 'mail.inDoubt'() {
      post.ses.conduct = () => 'lost';
      await send(undefined, 'paid', 'shipped');
    },
  },
  feedback: {
    async 'mail.takenBack'() {
      const [row] = await post.rowsOf(await send());
      const mail = { tags: { [rowTag]: [row && tagOf(row)] } };
      await openFeedback(connections)({ source: 'aws.ses', detail: { eventType: 'Reject', mail } });
    },
  },
};

const cases = Object.entries(situations).flatMap(([name, forms]) =>
  Object.entries(forms).map(([form, happen]) => ({ name, form, happen })),
);
const keyOf = (name: string, form: string) => formOf('Sluice/sluice-dev', { function: name }, form);

test('each metric of ours that an alarm watches has its situation here, and no other', () => {
  const ours = alarms.flatMap(metricsOf).filter(({ Namespace }) => !Namespace.startsWith('AWS/'));
  const watched = ours.map(({ Namespace, Dimensions, MetricName }) => {
    const dimensions = Dimensions.map(({ Name, Value }: Json) => [Name, Value]);
    return formOf(Namespace, Object.fromEntries(dimensions), MetricName);
  });
  expect(new Set(watched)).toEqual(new Set(cases.map(({ name, form }) => keyOf(name, form))));
});

test.each(cases)('$name tells $form', async ({ name, form, happen }) => {
  await happen();
  expect([...told]).toContain(keyOf(name, form));
});
