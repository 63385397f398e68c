/** Each sink failing in each way: the others stay right and on time, and afterwards so is the one that failed. */
import { setTimeout as wait } from 'node:timers/promises';
import type { DynamoDBRecord } from 'aws-lambda';
import { afterEach, describe, expect, test } from 'vitest';
import { openStream, type Reader } from '../../src/pipeline/stream.ts';
import type { Fields } from '../../src/table/entity.ts';
import { history, nameOf, version } from '../sinks/items.ts';
import type { Conduct, Seen, ServiceProxy } from '../sinks/proxy.ts';
import { allTaken, openWorld } from '../sinks/world.ts';
import { eventOf } from '../support/records.ts';
import { down, type Forms, hour, openOrders, orderForms, recordsOf } from './orders.ts';

const world = await openOrders();
const { proxies, config, eventsOf, published, recover } = world;

/** A clock of the sinks' budgets: time passes when a test says so. */
function virtualTime() {
  let now = 0;
  const deadlines: { at: number; controller: AbortController }[] = [];
  return {
    deadline(milliseconds: number): AbortSignal {
      const controller = new AbortController();
      deadlines.push({ at: now + milliseconds, controller });
      return controller.signal;
    },
    pass(milliseconds: number): void {
      now += milliseconds;
      for (const { at, controller } of deadlines) if (at <= now) controller.abort();
    },
  };
}

type Way = (request: Seen, time: ReturnType<typeof virtualTime>) => Conduct | Promise<Conduct>;

const json = { 'content-type': 'application/json' };

const ways: Record<string, Way> = {
  'is throttled': (_request, time) => {
    time.pass(3_000);
    return { status: 429, headers: json, body: '{"__type":"ThrottlingException"}' };
  },
  'is down': () => ({ status: 503, headers: json, body: '{}' }),
  'closes the connection': () => 'closed',
  'does it, and its answer is lost': () => 'lost',
  'does it, and answers garbage': () => ({ altered: () => ({ status: 200, headers: json, body: '<html>' }) }),
  'answers for nothing': () => ({ status: 200, headers: json, body: '{"items":[],"Entries":[]}' }),
  'is slow for an hour': async (_request, time) => {
    await wait(100); // the other sinks need no more
    time.pass(hour);
    await wait(50);
    return 'closed' as const;
  },
};

type Subject = {
  reader: Reader;
  proxy: ServiceProxy;
  concerns: (request: Seen) => boolean;
  /** To a transaction of DynamoDB an empty answer is a good one. */
  lies?: true;
};

const writesTo =
  (table: string) =>
  ({ operation, body }: Seen) =>
    operation === 'TransactWriteItems' && body.includes(`"${table}"`);

const subjects: Record<string, Subject> = {
  search: { reader: 'project', proxy: proxies.search, concerns: ({ path }) => path.includes('_bulk') },
  audit: {
    reader: 'project',
    proxy: proxies.dynamodb,
    concerns: writesTo(config.SLUICE_AUDIT_TABLE),
    lies: true,
  },
  email: {
    reader: 'notify',
    proxy: proxies.dynamodb,
    concerns: writesTo(config.SLUICE_OUTBOX_TABLE),
    lies: true,
  },
  bus: { reader: 'notify', proxy: proxies.bus, concerns: () => true },
};

/** What has to be true of an order with this past, in every sink; one may be left out. */
async function expectRight(forms: Forms, except?: string): Promise<void> {
  const [form, , last] = forms;
  const item = nameOf(form);
  if (except !== 'search')
    expect(await world.document('orders', item)).toMatchObject({ source: { status: last.status } });
  if (except !== 'audit')
    expect((await world.auditRows(form)).map(({ version }) => version)).toEqual(
      forms.map(({ version }) => version),
    );
  if (except !== 'email')
    expect((await world.outboxRows(item)).map(({ email }) => email)).toEqual([
      'orderConfirmation',
      'orderShipped',
    ]);
  if (except !== 'bus') {
    const ids = new Set(published(form).map(({ meta }) => meta.eventId));
    expect([...ids].map((id) => id.replace(/^.*\//, ''))).toEqual([
      'OrderPlaced',
      'OrderPaid',
      'OrderShipped',
    ]);
    expect(published(form).some(({ meta }) => meta.late)).toBe(false);
  }
}

async function take(reader: Reader, records: DynamoDBRecord[], time = virtualTime()) {
  const connections = { ...world.connections, deadline: time.deadline };
  expect(await openStream(world.app, reader, connections)(eventOf(...records))).toEqual(allTaken);
}

afterEach(recover);

describe.each(Object.entries(subjects))('%s', (name, { reader, proxy, concerns, lies }) => {
  const possible = Object.entries(ways).filter(([how]) => !(lies && how === 'answers for nothing'));
  test.each(possible)(
    '%s',
    async (_how, way) => {
      const forms = orderForms();
      const records = recordsOf(forms);
      await world.put(forms[2]);
      const other: Reader = reader === 'project' ? 'notify' : 'project';
      await take(other, records);
      const time = virtualTime();
      proxy.conduct = (request) => (concerns(request) ? way(request, time) : undefined);
      await take(reader, records, time);
      await expectRight(forms, name);
      await recover();
      await expectRight(forms);
      // The whole batch once more, as after a crash of the function: nothing changes.
      await take(reader, records);
      await expectRight(forms);
      const left = (await world.allParkedRows()).filter(({ pk }) => String(pk).endsWith(nameOf(forms[0])));
      expect(left).toEqual([]);
    },
    60_000,
  );
});

test('half of a bulk refused: that half is parked and brought up to date later, the other is there', async () => {
  const all = [orderForms(), orderForms(), orderForms(), orderForms()] as const;
  const refused = new Set([nameOf(all[1][0]), nameOf(all[3][0])]);
  proxies.search.conduct = ({ path }) =>
    path.includes('_bulk')
      ? {
          altered(reply) {
            const body = JSON.parse(reply.body);
            for (const item of body.items)
              if (refused.has(item.index._id))
                Object.assign(item.index, { status: 503, error: { type: 'busy' } });
            return { ...reply, body: JSON.stringify({ ...body, errors: true }) };
          },
        }
      : undefined;
  await take(
    'project',
    all.flatMap((forms) => recordsOf(forms)),
  );
  const parked = (await world.allParkedRows()).filter(({ pk }) => String(pk).startsWith('search/'));
  expect(new Set(parked.map(({ item }) => item))).toEqual(refused);
  // The service did index them: only the redrive can show what the table has by then.
  for (const forms of all) await world.put({ ...forms[2], version: version(4), status: 'delivered' });
  await recover();
  const shown = all.map(async (forms) => (await world.document('orders', nameOf(forms[0])))?.source.status);
  expect(await Promise.all(shown)).toEqual(['shipped', 'delivered', 'shipped', 'delivered']);
});

test('overlapping invocations of one batch: nothing is lost, mail and trail have nothing twice', async () => {
  const forms = orderForms();
  const records = recordsOf(forms);
  let asked = 0;
  proxies.bus.conduct = () => (asked++ % 2 === 0 ? 'lost' : undefined);
  await Promise.all([1, 2, 3].map(() => take('notify', records)));
  await Promise.all([1, 2, 3].map(() => take('project', records)));
  await recover();
  expect(await world.auditRows(forms[0])).toHaveLength(3);
  expect(await world.outboxRows(nameOf(forms[0]))).toHaveLength(2);
  expect(new Set(eventsOf(forms[0]))).toEqual(new Set(['OrderPlaced', 'OrderPaid', 'OrderShipped']));
});

test('an outage longer than all attempts: nothing is dead, and everything comes home', async () => {
  const forms = orderForms();
  for (const one of [proxies.search, proxies.bus]) one.conduct = down;
  await take('project', recordsOf(forms));
  await take('notify', recordsOf(forms));
  for (let day = 0; day < 30; day++) {
    world.clock.milliseconds += 24 * hour;
    await world.redrive();
  }
  await recover();
  // Search shows what the table has now, and this item never was in it.
  expect((await world.document('orders', nameOf(forms[0])))?.source).toHaveProperty('sluiceRemovedAt');
  await expectRight(forms, 'search');
});

test('what happened before an act was switched on causes nothing, and is counted', async () => {
  const fleet = await openWorld();
  const forms = orderForms();
  const connections = {
    ...fleet.connections,
    config: { ...fleet.config, SLUICE_SINCE: '2027-01-15T08:00:10Z' },
  };
  const yesterday = history(undefined, ...forms.slice(0, 2)); // at 08:00:00
  const today = history(forms[1], forms[2]).map((record) => ({
    ...record,
    dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: 1_800_000_010 },
  })) as DynamoDBRecord[];
  const notify = openStream(fleet.app, 'notify', connections);
  expect(await notify(eventOf(...yesterday, ...today))).toEqual(allTaken);
  expect(fleet.bus.events().map((event) => event['detail-type'])).toEqual(['OrderShipped']);
  expect((await fleet.outboxRows(nameOf(forms[0]))).map(({ email }) => email)).toEqual(['orderShipped']);
  expect(fleet.batches.at(-1)?.sinks).toMatchObject({
    email: { early: 1, applied: 1 },
    bus: { early: 2, applied: 1 },
  });
  // It was switched on once: another value later changes nothing.
  const later = { ...connections, config: { ...connections.config, SLUICE_SINCE: '2020-01-01T00:00:00Z' } };
  expect(await openStream(fleet.app, 'notify', later)(eventOf(...yesterday))).toEqual(allTaken);
  expect(fleet.bus.events()).toHaveLength(1);
});

test('where no time is named, what was written shortly before the first batch still counts', async () => {
  const fleet = await openWorld();
  const { SLUICE_SINCE: _, ...config } = fleet.config;
  const at = Math.floor(fleet.clock.milliseconds / 1000);
  const aged = (form: Fields, seconds: number) =>
    history(undefined, form).map((record) => ({
      ...record,
      dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: at - seconds },
    })) as DynamoDBRecord[];
  const [old, recent] = [orderForms()[0], orderForms()[0]];
  const notify = openStream(fleet.app, 'notify', { ...fleet.connections, config });
  expect(await notify(eventOf(...aged(old, 600), ...aged(recent, 240)))).toEqual(allTaken);
  const keys = fleet.bus.events().map(({ detail }) => ((detail.meta as Fields).key as Fields).sk);
  expect(keys).toEqual([recent.sk]);
});
