/** What happens between two steps of parking, redrive, discard and pause: nothing is lost, nothing overtakes unmarked. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, expect, test } from 'vitest';
import { discard } from '../../src/deliveries/discard.ts';
import { writeFailure } from '../../src/deliveries/failures.ts';
import { openRedrive } from '../../src/deliveries/handler.ts';
import { leaseHold, oldestParked } from '../../src/deliveries/holds.ts';
import { listParked } from '../../src/deliveries/list.ts';
import { redriveItem } from '../../src/deliveries/redrive.ts';
import { changePrefix, unitOf } from '../../src/deliveries/rows.ts';
import { setPaused } from '../../src/deliveries/switches.ts';
import { openStream } from '../../src/pipeline/stream.ts';
import { encodeItem } from '../../src/table/attributes.ts';
import type { Fields } from '../../src/table/entity.ts';
import { fresh, history, lamp, nameOf, productAt } from '../sinks/items.ts';
import type { Seen } from '../sinks/proxy.ts';
import { allTaken } from '../sinks/world.ts';
import { eventOf, recordOf } from '../support/records.ts';
import { down, hour, minute, never, openOrders, orderForms, recordsOf } from './orders.ts';

const world = await openOrders();
const { proxies, clock, config, takeAll, eventsOf, redrive, redriveLater } = world;

const parkedOf = async (form: Fields) =>
  (await listParked(world.connections)).filter(({ item }) => item === nameOf(form));

const putRow = (row: Fields) =>
  world.dynamodb.send(
    new PutItemCommand({ TableName: config.SLUICE_DELIVERIES_TABLE, Item: encodeItem(row) }),
  );

afterEach(world.recover);

test('what is parked after it was listed is not discarded with it', async () => {
  const one = lamp(fresh('lamp'));
  const [first, second] = [productAt(1, one), productAt(2, { ...one, price: 9 })];
  proxies.search.conduct = down;
  await takeAll('project', ...history(undefined, first));
  const [listed] = await parkedOf(first);
  await takeAll('project', ...history(first, second));
  if (listed === undefined) throw new Error('Nothing was listed.');
  await expect(discard(world.connections, listed, { by: 'me', reason: 'no use' })).rejects.toThrow(
    'Look again',
  );
  expect((await world.auditRows(first)).map(({ kind }) => kind)).not.toContain('discarded');
  proxies.search.calm();
  await world.put(second);
  await redriveLater();
  expect(await world.document('products', nameOf(first))).toMatchObject({ source: { price: 9 } });
});

test('discards stand below an item’s versions, so that its history begins with the newest', async () => {
  const form = productAt(1, lamp(fresh('lamp')));
  proxies.search.conduct = down;
  await takeAll('project', ...history(undefined, form));
  const [listed] = await parkedOf(form);
  if (listed) await discard(world.connections, listed, { by: 'me', reason: 'no use' });
  const kinds = (await world.auditRows(form)).map(({ kind }) => kind);
  expect(kinds).toEqual(['discarded', 'insert']);
});

test('killed before its change was parked, an act’s item is held all the same', async () => {
  const forms = orderForms();
  const [placed, paid] = recordsOf(forms);
  proxies.bus.conduct = down;
  // The hold can be written, the change cannot: as if the process had died between the two.
  proxies.dynamodb.conduct = ({ operation, body }: Seen) =>
    operation === 'TransactWriteItems' && body.includes(config.SLUICE_DELIVERIES_TABLE) ? down() : undefined;
  expect(await world.take('notify', eventOf(placed))).not.toEqual(allTaken);
  proxies.dynamodb.calm();
  proxies.bus.calm();
  await takeAll('notify', paid);
  expect(eventsOf(forms[0])).toEqual([]);
  await takeAll('notify', placed);
  await redriveLater();
  expect(eventsOf(forms[0])).toEqual(['OrderPlaced', 'OrderPaid']);
});

test('a change that is written when nobody waits for it any more is not left behind: it goes again, late', async () => {
  const forms = orderForms();
  const [placed, paid] = recordsOf(forms);
  const unit = unitOf('bus', nameOf(forms[0]));
  const rows = async () => (await world.allParkedRows()).filter(({ pk }) => pk === unit);
  proxies.bus.conduct = down;
  await takeAll('notify', placed);
  const change = (await rows()).find(({ sk }) => String(sk).startsWith(changePrefix)) ?? {};
  proxies.bus.calm();
  await redriveLater();
  await takeAll('notify', paid);
  await putRow(change);
  await redriveLater(); // it gets a hold
  await redriveLater();
  expect(eventsOf(forms[0])).toEqual(['OrderPlaced', 'OrderPaid', 'OrderPlaced late']);
  expect(await rows()).toEqual([]);
});

test('of several such changes of an item each is late, and they go in their order', async () => {
  const forms = orderForms();
  const [placed, paid, shipped] = recordsOf(forms);
  const unit = unitOf('bus', nameOf(forms[0]));
  const rows = async () => (await world.allParkedRows()).filter(({ pk }) => pk === unit);
  proxies.bus.conduct = down;
  await takeAll('notify', placed);
  clock.milliseconds += 10 * minute;
  await takeAll('notify', paid);
  const changes = (await rows()).filter(({ sk }) => String(sk).startsWith(changePrefix));
  proxies.bus.calm();
  await redriveLater();
  await takeAll('notify', shipped);
  for (const change of changes) await putRow(change);
  const [first] = changes.map(({ due }) => Number(due)).sort();
  clock.milliseconds += Number(first) + 1_000 - world.connections.now(); // one of them is looked after, the other not yet
  await redrive();
  clock.milliseconds += minute;
  await redrive();
  expect(eventsOf(forms[0]).slice(3)).toEqual(['OrderPlaced late', 'OrderPaid late']);
  await redriveLater();
  expect(await rows()).toEqual([]);
});

test('a change that has waited for long in an outage is looked after once, and is not late', async () => {
  const forms = orderForms();
  const [placed, paid] = recordsOf(forms);
  const unit = unitOf('bus', nameOf(forms[0]));
  const lookedAfter = async () =>
    (await world.allParkedRows()).filter(
      ({ pk, sk, due }) => pk === unit && String(sk).startsWith(changePrefix) && due === undefined,
    );
  proxies.bus.conduct = down;
  await takeAll('notify', placed);
  expect(await lookedAfter()).toEqual([]);
  await redriveLater();
  expect(await lookedAfter()).toHaveLength(1);
  await takeAll('notify', paid);
  proxies.bus.calm();
  await redriveLater();
  expect(eventsOf(forms[0])).toEqual(['OrderPlaced', 'OrderPaid']);
  expect(await parkedOf(forms[0])).toEqual([]);
});

test('what is due does not wait for what is looked after, whatever goes wrong with that', async () => {
  const all = Array.from({ length: 5 }, orderForms);
  proxies.bus.conduct = down;
  for (const forms of all) await takeAll('notify', ...history(undefined, forms[0]));
  proxies.bus.calm();
  proxies.dynamodb.conduct = ({ operation, body }: Seen) =>
    operation === 'UpdateItem' && body.includes('REMOVE') && body.includes(changePrefix) ? down() : undefined;
  await redriveLater();
  for (const forms of all) expect(eventsOf(forms[0])).toEqual(['OrderPlaced']);
});

test('parked once more after others have passed it, a change is late', async () => {
  const forms = orderForms();
  const [placed, paid] = recordsOf(forms);
  proxies.bus.conduct = down;
  await takeAll('notify', placed);
  const late = openStream(world.app, 'notify', world.connections, { late: true });
  expect(await late(eventOf(placed))).toEqual(allTaken);
  await takeAll('notify', paid);
  proxies.bus.calm();
  await redriveLater();
  expect(eventsOf(forms[0])).toEqual(['OrderPlaced late', 'OrderPaid']);
});

test('an item without a version that is deleted in an outage does not stay in search', async () => {
  const { version: _, born: __, ...one } = productAt(1, lamp(fresh('lamp'))) as Fields;
  const bare = Object.fromEntries(
    Object.entries(one).filter(([name]) => name === '_type' || !name.startsWith('_')),
  );
  const form = { ...bare, version: undefined } as Fields;
  const clean = Object.fromEntries(Object.entries(form).filter(([, value]) => value !== undefined));
  await world.put(clean);
  await takeAll('project', recordOf({ after: clean }));
  expect((await world.document('products', nameOf(clean)))?.source).not.toHaveProperty('sluiceRemovedAt');
  proxies.search.conduct = down;
  await takeAll('project', recordOf({ before: clean }));
  proxies.search.calm();
  await world.delete(clean);
  await redriveLater();
  expect((await world.document('products', nameOf(clean)))?.source).toHaveProperty('sluiceRemovedAt');
});

test('an item whose rows cannot be read stops no other, of its sink or of others', async () => {
  const [bad, good] = [orderForms(), orderForms()];
  const form = productAt(1, lamp(fresh('lamp')));
  for (const one of [proxies.bus, proxies.search]) one.conduct = down;
  await takeAll('notify', ...recordsOf(bad));
  await takeAll('notify', ...recordsOf(good));
  await takeAll('project', ...history(undefined, form));
  await world.put(form);
  for (const one of [proxies.bus, proxies.search]) one.calm();
  proxies.dynamodb.conduct = ({ operation, body }: Seen) =>
    operation === 'Query' && body.includes(unitOf('bus', nameOf(bad[0]))) ? down() : undefined;
  await redriveLater();
  expect(eventsOf(good[0])).toEqual(['OrderPlaced', 'OrderPaid', 'OrderShipped']);
  expect(await world.document('products', nameOf(form))).toBeDefined();
  proxies.dynamodb.calm();
  await redriveLater();
  expect(eventsOf(bad[0])).toEqual(['OrderPlaced', 'OrderPaid', 'OrderShipped']);
});

test('an item that takes longer than its lease allows goes on with the next run, and stops no other', async () => {
  const [slow, other] = [orderForms(), orderForms()];
  proxies.bus.conduct = down;
  await takeAll('notify', ...recordsOf(slow));
  await takeAll('notify', ...recordsOf(other));
  proxies.bus.conduct = ({ body }) => {
    if (body.includes(String(slow[0].sk))) clock.milliseconds += 31_000;
    return undefined;
  };
  await redriveLater();
  expect(eventsOf(slow[0])).toEqual(['OrderPlaced']);
  expect(eventsOf(other[0])).toEqual(['OrderPlaced', 'OrderPaid', 'OrderShipped']);
  expect(await world.hold('bus', nameOf(slow[0]))).toMatchObject({ tries: 0, state: 'waiting' });
  // It is due at once, not after a backoff.
  await redrive();
  await redrive();
  expect(eventsOf(slow[0])).toEqual(['OrderPlaced', 'OrderPaid', 'OrderShipped']);
});

test('one index that is missing stops no other', async () => {
  const orders = [orderForms(), orderForms()] as const;
  const form = productAt(1, lamp(fresh('lamp')));
  proxies.search.conduct = down;
  for (const forms of orders) {
    await takeAll('project', ...recordsOf(forms));
    await world.put(forms[2]);
  }
  clock.milliseconds += 60_000; // so that the others are tried first
  await takeAll('project', ...history(undefined, form));
  await world.put(form);
  const missing = { status: 404, error: { type: 'index_not_found_exception' } };
  proxies.search.conduct = ({ path, body }: Seen) =>
    path.includes('_bulk') && body.includes('"orders-write"')
      ? {
          status: 200,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ errors: true, items: [{ index: missing }] }),
        }
      : undefined;
  await redriveLater();
  expect(await world.document('products', nameOf(form))).toBeDefined();
  expect(await world.hold('search', nameOf(orders[0][0]))).toMatchObject({
    state: 'waiting',
    attempts: 0,
  });
});

test('an item that another redrive has is left alone, by hand too', async () => {
  const forms = orderForms();
  proxies.bus.conduct = down;
  await takeAll('notify', ...recordsOf(forms));
  proxies.bus.calm();
  clock.milliseconds += hour;
  const unit = unitOf('bus', nameOf(forms[0]));
  expect(await leaseHold(world.connections, unit, 'somebody else')).toMatchObject({ owner: 'somebody else' });
  await redriveItem(
    world.app,
    world.connections,
    { sink: 'bus', item: nameOf(forms[0]), settled: true },
    never,
  );
  expect(eventsOf(forms[0])).toEqual([]);
  expect(await leaseHold(world.connections, unit, 'a third')).toBe('taken');
  expect(await leaseHold(world.connections, unitOf('bus', 'nobody'), 'a third')).toBe('absent');
});

test('a pause in the midst of a redrive takes hold within seconds', async () => {
  const all = Array.from({ length: 30 }, orderForms);
  proxies.bus.conduct = down;
  for (const forms of all) await takeAll('notify', ...history(undefined, forms[0]));
  let sent = 0;
  proxies.bus.conduct = async () => {
    sent += 1;
    if (sent === 1) await setPaused(world.connections, 'bus', true, 'somebody');
    clock.milliseconds += 1_500;
    return undefined;
  };
  await redriveLater();
  expect(sent).toBeLessThan(15);
  await setPaused(world.connections, 'bus', false, 'somebody');
  proxies.bus.calm();
  await redriveLater();
  for (const forms of all) expect(eventsOf(forms[0])).toEqual(['OrderPlaced']);
});

test('one entry that refuses the whole call of PutEvents is refused alone', async () => {
  const all = [orderForms(), orderForms(), orderForms()] as const;
  const [bad] = all[1];
  proxies.bus.conduct = ({ body }) =>
    body.includes(String(bad.orderId))
      ? {
          status: 400,
          headers: { 'content-type': 'application/x-amz-json-1.1' },
          body: '{"__type":"ValidationException"}',
        }
      : undefined;
  await takeAll('notify', ...all.flatMap((forms) => history(undefined, forms[0])));
  expect(all.map((forms) => eventsOf(forms[0]))).toEqual([['OrderPlaced'], [], ['OrderPlaced']]);
  expect(await parkedOf(bad)).toMatchObject([
    { sink: 'bus', state: 'refused', reason: 'ValidationException' },
  ]);
});

test('the age of what waits is that of the oldest, not of what is due first', async () => {
  const old = orderForms();
  proxies.bus.conduct = down;
  await takeAll('notify', ...history(undefined, old[0]));
  await redriveLater(); // it is tried, and due later than what comes now
  const fresh = Array.from({ length: 160 }, () => history(undefined, orderForms()[0]));
  await takeAll('notify', ...fresh.flat());
  expect(await oldestParked(world.connections, ['bus'])).toBeGreaterThanOrEqual(3_600);
});

test('a failed batch of another function is left where it is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-left-'));
  const failure = {
    shardId: 's',
    startSequenceNumber: '1',
    endSequenceNumber: '2',
    condition: 'x',
    count: 1,
  };
  await writeFailure(folder, { ...failure, functionName: 'archive', records: recordsOf(orderForms()) });
  const connections = {
    ...world.connections,
    config: { ...config, SLUICE_FAILURES: pathToFileURL(folder).href },
  };
  expect(await openRedrive(world.app, connections)()).toMatchObject({ batches: { taken: 0, left: 1 } });
  expect(readdirSync(folder)).toHaveLength(1);
  rmSync(folder, { recursive: true });
});
