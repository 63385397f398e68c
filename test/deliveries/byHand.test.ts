/** Deliveries, redrive, discard, pause and resume, as they are typed. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { DynamoDBRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import { rowsUnder } from '../../src/deliveries/rowsUnder.ts';
import { openStream } from '../../src/pipeline/stream.ts';
import { fresh, history, lamp, nameOf, productAt } from '../sinks/items.ts';
import { allTaken } from '../sinks/world.ts';
import { eventOf, recordOf } from '../support/records.ts';
import { down, openOrders, orderForms, recordsOf } from './orders.ts';

const world = await openOrders();
const { takeAll, eventsOf } = world;
// The commands look at the real clock.
world.clock.milliseconds = Date.now();
const root = new URL('../..', import.meta.url).pathname;

type Ended = { status: number; out: string; told: string };

const services = { SLUICE_SEARCH_ENDPOINT: world.proxies.search.url, SLUICE_CACHE_ENDPOINT: 'memory:' };

const sluice = (...args: string[]) => sluiceWhere(services, ...args);

function sluiceWhere(variables: Record<string, string | undefined>, ...args: string[]): Promise<Ended> {
  const env = { ...process.env, ...variables };
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'bin/sluice.js'), ...args, '--aws'], { env }, (error, out, told) =>
      resolve({ status: Number(error?.code ?? 0), out, told }),
    );
  });
}

test('deliveries says what is parked, why, since when, and what comes next', async () => {
  expect((await sluice('deliveries')).out).toBe('Nothing is parked.\n');
  const form = productAt(1, lamp(fresh('lamp')));
  world.proxies.search.conduct = down;
  await takeAll('project', ...history(undefined, form));
  world.proxies.search.calm();
  const poison = recordOf({ after: { ...productAt(1, lamp(fresh('lamp'))), price: 'much' } });
  await takeAll('project', poison);
  const { status, out } = await sluice('deliveries');
  expect(status).toBe(0);
  expect(out).toMatch(/^search: 1 waiting; the oldest since \S+Z \(\d+ s\); the next try in \d+ s$/m);
  expect(out).toMatch(/^ {2}1 × waiting: .*503.*, such as Product\//m);
  expect(out).toMatch(/^records that cannot be read: 1 refused/m);
  expect(out).toMatch(/such as \S+ \(of PRODUCT#\S+ PRODUCT#\S+\)$/m);
  const lines = (await sluice('deliveries', '--json')).out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toContainEqual(
    expect.objectContaining({ sink: 'search', item: nameOf(form), state: 'waiting', attempts: 0 }),
  );
  expect(lines).toContainEqual(expect.objectContaining({ item: poison.eventID, state: 'refused' }));
  expect(out).not.toContain('It shines');
});

test('redrive says first what it does, does nothing with --dry-run, and then does it', async () => {
  const forms = orderForms();
  world.proxies.bus.conduct = down;
  await takeAll('notify', ...recordsOf(forms));
  world.proxies.bus.calm();
  const dry = await sluice('redrive', '--sink', 'bus', '--dry-run');
  expect(dry).toMatchObject({
    status: 0,
    out: expect.stringMatching(/^This tries bus 3 again in the AWS account/),
  });
  expect(eventsOf(forms[0])).toEqual([]);
  const done = await sluice('redrive', '--sink', 'bus', '--item', nameOf(forms[0]));
  expect(done.out).toMatch(/bus +3 applied/);
  expect(done.status).toBe(0);
  expect(eventsOf(forms[0])).toEqual(['OrderPlaced', 'OrderPaid', 'OrderShipped']);
  expect((await sluice('redrive', '--sink', 'bus')).out).toContain('Nothing of that is parked');
});

test('what was refused goes only with --settled, late', async () => {
  const forms = orderForms();
  world.proxies.bus.conduct = () => ({
    status: 200,
    body: JSON.stringify({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'MalformedDetail' }] }),
  });
  await takeAll('notify', ...history(undefined, forms[0]));
  world.proxies.bus.calm();
  const item = nameOf(forms[0]);
  expect((await sluice('redrive', '--item', item)).out).toContain('Nothing of that is parked');
  const done = await sluice('redrive', '--item', item, '--settled');
  expect(done.out).toMatch(/bus 1 \(1 of them late\).*bus +1 applied, 1 late/s);
  expect(eventsOf(forms[0])).toEqual(['OrderPlaced late']);
});

test('what is discarded is gone, and the audit trail keeps who, why and what', async () => {
  const form = productAt(1, lamp(fresh('lamp')));
  world.proxies.search.conduct = down;
  await takeAll('project', ...history(undefined, form));
  world.proxies.search.calm();
  const item = nameOf(form);
  expect((await sluice('discard', item, '--sink', 'bus', '--reason', 'no use')).status).toBe(1);
  expect((await sluice('discard', item, '--sink', 'search')).told).toContain(
    "'--reason <text>' not specified",
  );
  expect((await sluice('discard', item, '--sink', 'search', '--reason', 'no use')).status).toBe(0);
  expect(await rowsUnder(world.connections, `search/${item}`)).toEqual([]);
  expect(await world.auditRows(form)).toContainEqual(
    expect.objectContaining({
      kind: 'discarded',
      sink: 'search',
      reason: 'no use',
      actor: expect.any(String),
    }),
  );
});

test('pause takes hold in a running handler within seconds, and resume as well', async () => {
  const [forms, others] = [orderForms(), orderForms()];
  const [[placed, paid], [otherPlaced, otherPaid]] = [recordsOf(forms), recordsOf(others)];
  const running = openStream(world.app, 'notify', world.connections);
  const give = async (record: DynamoDBRecord) => expect(await running(eventOf(record))).toEqual(allTaken);
  await give(placed);
  await give(otherPlaced);
  expect(eventsOf(forms[0])).toEqual(['OrderPlaced']);
  expect((await sluice('pause', 'bus')).out).toContain('bus is paused');
  world.clock.milliseconds += 2_000;
  await give(paid);
  expect(eventsOf(forms[0])).toEqual(['OrderPlaced']);
  expect((await sluice('deliveries')).out).toMatch(/^bus: 1 waiting, PAUSED/m);
  expect((await sluice('resume', 'bus')).out).toContain('bus goes on');
  world.clock.milliseconds += 2_000;
  await give(otherPaid);
  expect(eventsOf(others[0])).toEqual(['OrderPlaced', 'OrderPaid']);
  await sluice('redrive', '--sink', 'bus');
  expect(eventsOf(forms[0])).toEqual(['OrderPlaced', 'OrderPaid']);
  const unknown = await sluice('pause', 'fax');
  expect(unknown.status).toBe(1);
  expect(unknown.told).toContain('There is no sink fax here. There are search, cache, audit, email, bus.');
});

/** A record that came when no product fitted, and can be read now. */
async function parkedRecord() {
  const form = productAt(1, lamp(fresh('lamp')));
  const [record] = history(undefined, form) as [DynamoDBRecord];
  const entities = world.app.entities.map((entity) =>
    entity.name === 'Product' ? { ...entity, parse: () => ({ misfit: 'too strict' }) } : entity,
  );
  for (const reader of ['project', 'notify'] as const)
    expect(await world.takeBy({ entities }, reader, eventOf(record))).toEqual(allTaken);
  expect(await world.document('products', nameOf(form))).toBeUndefined();
  return { form, record, chosen: ['--item', `${record.eventID}`, '--settled'] };
}

test('a record that the code can read by now is taken, its acts late, and is parked no more', async () => {
  const { form, record, chosen } = await parkedRecord();
  const done = await sluice('redrive', ...chosen);
  expect(done.out).toContain('unreadable records 1');
  expect(done.status).toBe(0);
  expect(await world.document('products', nameOf(form))).toMatchObject({ version: form.version });
  expect(eventsOf(form)).toEqual(['ProductAdded late']);
  expect(await world.parkedRows(record)).toEqual([]);
});

test('a record stays where a sink is off that may be on in the deployment, until one says that it is not', async () => {
  const { form, record, chosen } = await parkedRecord();
  const { SLUICE_CACHE_ENDPOINT: _, ...withoutCache } = services;
  const refused = await sluiceWhere(withoutCache, 'redrive', ...chosen);
  expect(refused.status).toBe(1);
  expect(refused.out).toMatch(/cannot be taken yet: off here: cache\. Name the endpoint, or say --without/);
  expect(eventsOf(form)).toEqual([]);
  expect(await world.parkedRows(record)).toHaveLength(1);
  const misspelt = await sluiceWhere(withoutCache, 'redrive', ...chosen, '--without', 'cash');
  expect(misspelt.told).toContain('There is no sink cash here.');
  const taken = await sluiceWhere(withoutCache, 'redrive', ...chosen, '--without', 'cache');
  expect(taken.status).toBe(0);
  expect(eventsOf(form)).toEqual(['ProductAdded late']);
  expect(await world.parkedRows(record)).toEqual([]);
});

test('a record that still cannot be read stays, and why is told', async () => {
  const poison = recordOf({ after: { ...productAt(1, lamp(fresh('lamp'))), price: 'much' } });
  await takeAll('project', poison);
  const done = await sluice('redrive', '--item', `${poison.eventID}`, '--settled');
  expect(done.status).toBe(1);
  expect(done.out).toMatch(/cannot be taken yet: the item does not fit Product: price/);
  expect(await world.parkedRows(poison)).toHaveLength(1);
});

test('an account without a region is told by a line that says how to name one', async () => {
  const nowhere = { AWS_REGION: undefined, AWS_CONFIG_FILE: '/dev/null' };
  const { status, told } = await sluiceWhere(nowhere, 'deliveries');
  expect(status).toBe(1);
  expect(told).toBe(
    'No AWS region is named: set AWS_REGION, or name a profile that has one by AWS_PROFILE.\n',
  );
});
