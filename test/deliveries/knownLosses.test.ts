/** Ways in which pipelines of this kind are known to lose, double or block; each tried here from end to end. */
import type { DynamoDBRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import { product } from '../../src/shop/entities/product.ts';
import type { Fields } from '../../src/table/entity.ts';
import { fresh, history, lamp, nameOf, productAt, tombstone, version } from '../sinks/items.ts';
import { recordOf } from '../support/records.ts';
import { openOrders, orderForms } from './orders.ts';

const world = await openOrders();
const { takeAll, eventsOf } = world;

test('removed and made again within one batch, an item is there: removals are not sent after everything else', async () => {
  const one = lamp(fresh('lamp'));
  const forms = [productAt(1, one), tombstone(product, one, version(2)), productAt(3, { ...one, price: 7 })];
  const [inserted, removed, again] = history(undefined, ...forms);
  await takeAll('project', ...([inserted, removed, again] as DynamoDBRecord[]));
  expect(await world.document('products', nameOf(forms[0] as Fields))).toMatchObject({
    source: { price: 7 },
  });
  await takeAll('project', removed as DynamoDBRecord);
  expect(await world.document('products', nameOf(forms[0] as Fields))).toMatchObject({
    source: { price: 7 },
  });
});

test('two writes within one second both count: what orders them is the item’s own number', async () => {
  const one = lamp(fresh('lamp'));
  const forms = [1, 2, 3].map((at) => productAt(at, { ...one, price: at }));
  const records = history(undefined, ...forms); // all of one second
  await takeAll('project', ...records.toReversed());
  expect(await world.document('products', nameOf(forms[0] as Fields))).toMatchObject({
    source: { price: 3 },
  });
  expect(await world.auditRows(forms[0] as Fields)).toHaveLength(3);
});

test('a removal is newer than what it removes, so that no version conflict keeps the document', async () => {
  const one = lamp(fresh('lamp'));
  const form = productAt(5, one);
  await takeAll('project', recordOf({ after: form }));
  await takeAll('project', recordOf({ before: form })); // deleted past Sluice: the image shows the old version
  const document = await world.document('products', nameOf(form));
  expect(document?.source).toHaveProperty('sluiceRemovedAt');
});

test('an entry that PutEvents refused within a good answer is sent again, and only that one', async () => {
  const forms = [orderForms(), orderForms(), orderForms()].map(([placed]) => placed);
  let asked = 0;
  world.proxies.bus.conduct = () =>
    asked++ > 0
      ? undefined
      : {
          altered(reply) {
            const body = JSON.parse(reply.body);
            body.Entries[1] = { ErrorCode: 'ThrottlingException', ErrorMessage: 'slow down' };
            return { ...reply, body: JSON.stringify({ ...body, FailedEntryCount: 1 }) };
          },
        };
  await takeAll('notify', ...forms.flatMap((form) => history(undefined, form)));
  const keyIn = ({ Detail }: { Detail: string }) => JSON.parse(Detail).meta.key.sk;
  const [first, second, third] = forms.map(({ sk }) => sk);
  expect(world.proxies.bus.seen.map(({ body }) => JSON.parse(body).Entries.map(keyIn))).toEqual([
    [first, second, third],
    [second],
  ]);
  for (const form of forms) expect(new Set(eventsOf(form))).toEqual(new Set(['OrderPlaced']));
});

test('a sink that fails does not make the others run again: the batch is taken, once', async () => {
  const form = productAt(1, lamp(fresh('lamp')));
  world.proxies.search.conduct = () => ({ status: 503, body: '{}' });
  await takeAll('project', ...history(undefined, form));
  const audits = world.batches.map(({ sinks }) => sinks.audit?.applied);
  expect(audits).toEqual([1]);
  expect(await world.auditRows(form)).toHaveLength(1);
  world.proxies.search.calm();
});

test('a poison record among others blocks nobody and takes nobody with it', async () => {
  const forms = [1, 2].map(() => productAt(1, lamp(fresh('lamp'))));
  const poison = recordOf({ after: { ...productAt(1, lamp(fresh('lamp'))), stock: 'many' } });
  const [first, last] = forms.map((form) => recordOf({ after: form }));
  await takeAll('project', first as DynamoDBRecord, poison, last as DynamoDBRecord);
  await takeAll('notify', first as DynamoDBRecord, poison, last as DynamoDBRecord);
  for (const form of forms) {
    expect(await world.document('products', nameOf(form))).toBeDefined();
    expect(eventsOf(form)).toEqual(['ProductAdded']);
  }
  expect(await world.parkedRows(poison)).toHaveLength(1);
});

test('one item that a service keeps refusing holds up no other, and not its own later events', async () => {
  const [[placed, paid], [other]] = [orderForms(), orderForms()];
  world.proxies.bus.conduct = ({ body }) => {
    const { Entries } = JSON.parse(body);
    const isBad = (entry: { Detail: string; DetailType: string }) =>
      entry.DetailType === 'OrderPlaced' && entry.Detail.includes(String(placed.orderId));
    if (!Entries.some(isBad)) return undefined;
    return {
      altered(reply) {
        const body = JSON.parse(reply.body);
        body.Entries = Entries.map((entry: { Detail: string; DetailType: string }, at: number) =>
          isBad(entry) ? { ErrorCode: 'MalformedDetail' } : body.Entries[at],
        );
        return { ...reply, body: JSON.stringify(body) };
      },
    };
  };
  await takeAll('notify', ...history(undefined, placed, paid), ...history(undefined, other));
  const refused = (await world.parkedChanges('bus', nameOf(placed))).map(({ state }) => state);
  expect(refused).toEqual(['refused']);
  expect(eventsOf(placed)).toContain('OrderPaid');
  expect(eventsOf(other)).toEqual(['OrderPlaced']);
  world.proxies.bus.calm();
});
