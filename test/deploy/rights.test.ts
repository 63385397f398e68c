/** Each function needs exactly what its code calls: declared beside the code, compared with a day of faults. */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Context, DynamoDBStreamEvent } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { handler as feedback } from '../../handlers/feedback.ts';
import { handler as mail } from '../../handlers/mail.ts';
import { handler as notify } from '../../handlers/notify.ts';
import { handler as project } from '../../handlers/project.ts';
import { handler as redrive } from '../../handlers/redrive.ts';
import { apiRights, app, routes } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { connect } from '../../src/connections.ts';
import { setPaused } from '../../src/deliveries/switches.ts';
import { openApi } from '../../src/http/api.ts';
import { type Handlers, type Home, openHome } from '../../src/local/home.ts';
import { playOnce } from '../../src/local/play/once.ts';
import { broughtHome } from '../../src/local/play/outage.ts';
import { shop } from '../../src/shop/commands.ts';
import { product } from '../../src/shop/entities/product.ts';
import { day } from '../../src/shop/play/day.ts';
import { readsOf } from '../../src/shop/reads.ts';
import { type FunctionName, functionNames, rightsOf } from '../../src/stack/rights.ts';
import { encodeItem } from '../../src/table/attributes.ts';
import { get } from '../../src/table/read.ts';
import { ada, key, tea } from '../http/shopApi.ts';
import { startGuardedCache } from '../support/guardedCache.ts';
import { by } from '../support/shop.ts';
import { called, inFunction, listenIn } from './calls.ts';

const everything = { search: true, cache: true, searchSecret: true, cacheSecret: true };

const failedBatch = { text: '' };
let cache: Awaited<ReturnType<typeof startGuardedCache>>;
let home: Home;

const handlers = Object.fromEntries(
  Object.entries({ project, notify, mail, redrive, feedback }).map(([name, handler]) => [
    name,
    inFunction(name, handler as never),
  ]),
) as unknown as Handlers;

beforeAll(async () => {
  cache = await startGuardedCache(() => 'secret');
  listenIn({
    GetSecretValue: () => ({ SecretString: '{"username":"sluice","password":"secret"}' }),
    ListObjectsV2: () => ({ Contents: [{ Key: 'aws/lambda/1' }] }),
    GetObject: () => ({ Body: { transformToString: async () => failedBatch.text } }),
    DeleteObject: () => ({}),
  });
  Object.assign(process.env, {
    SLUICE_CACHE_ENDPOINT: cache.url,
    SLUICE_CACHE_SECRET: 'cache',
    SLUICE_SEARCH_SECRET: 'search',
    SLUICE_LOG_LEVEL: 'error',
  });
  const onExit = (error: Error) => Promise.reject(error);
  home = await openHome({ app, handlers, environment: process.env, onExit });
  await playTheDay();
  await playABadDay();
  await takeUpAFailedBatch();
  await reportABounce();
  await useTheApi();
}, 300_000); // most of it is waiting for what is parked; longer where others use the machine

afterAll(async () => {
  await home.stop();
  await cache.stop();
});

async function playTheDay() {
  const say = () => {};
  const proof = await playOnce({ home, day, readsOf, live: false, say, warn: say });
  expect(proof.findings).toEqual([]);
}

/** More than one row holds, whatever is done to make it small. */
const large = () => randomBytes(220_000).toString('base64');

/** Every sink is paused while things happen, and goes on again: all of it is parked and redriven. */
async function playABadDay() {
  const all = (paused: boolean) => setAll(sinkNames, paused);
  await all(true);
  const { addProduct, restockProduct, updateProduct, placeOrder, registerCustomer } = shop(home.store);
  await addProduct({ ...tea, productId: 'urn', description: large(), currency: 'EUR' }, by());
  const urn = await get(home.store, product, { productId: 'urn' });
  await updateProduct('urn', urn?.version ?? 0, { description: large() }, by());
  await restockProduct('urn', 1, by());
  await editBehindOurBack('urn');
  await registerCustomer({ ...ada, userId: 'zoe' }, by());
  await placeOrder({ userId: 'zoe', idempotencyKey: '1', items: [{ productId: 'urn', quantity: 1 }] }, by());
  await home.settle();
  await all(false);
  await broughtHome(home);
  const filled = await get(home.store, product, { productId: 'urn' });
  await updateProduct('urn', filled?.version ?? 0, { description: large() }, by());
  await home.settle();
}

const sinkNames = ['adoption', 'search', 'cache', 'audit', 'email', 'bus'];

const editBehindOurBack = (id: string) =>
  home.connections.dynamodb.send(
    new UpdateItemCommand({
      TableName: home.store.tableName,
      Key: encodeItem({ pk: `PRODUCT#${id}`, sk: `PRODUCT#${id}` }),
      UpdateExpression: 'SET stock = stock + :one',
      ExpressionAttributeValues: encodeItem({ ':one': 1 }),
    }),
  );

/** A switch is read once a second. */
async function setAll(sinks: readonly string[], paused: boolean) {
  await Promise.all(sinks.map((name) => setPaused(home.connections, name, paused, 'a test')));
  await wait(1_100);
}

/** What both readers failed lies in the bucket, and cannot be delivered now either. */
async function takeUpAFailedBatch() {
  const records = home.batches.flatMap(({ function: name, event }) =>
    name === 'notify' ? event.Records : [],
  );
  const big = records.filter((record) => record.dynamodb?.Keys?.pk?.S === 'PRODUCT#urn');
  const event: DynamoDBStreamEvent = { Records: structuredClone(big) };
  for (const record of event.Records) record.eventID = `again-${record.eventID}`;
  failedBatch.text = JSON.stringify({
    requestContext: { functionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:shop-notify' },
    payload: event,
  });
  await setAll(['bus'], true);
  const before = process.env.SLUICE_FAILURES;
  process.env.SLUICE_FAILURES = 's3://failures/aws/lambda/';
  const { redriveHandler } = await import('../../src/deliveries/handler.ts');
  await inFunction('redrive', redriveHandler(app))({}, {} as Context);
  process.env.SLUICE_FAILURES = before;
  await setAll(['bus'], false);
  await broughtHome(home);
}

async function reportABounce() {
  const bounce = { bounceType: 'Permanent', bouncedRecipients: [{ emailAddress: 'gone@example.com' }] };
  const detail = { eventType: 'Bounce', bounce, mail: { messageId: '1', tags: {} } };
  await home.handlers.feedback({ source: 'aws.ses', detail }, {} as Context);
}

async function useTheApi() {
  const api = openApi(app, connect(readConfig(process.env)), routes);
  const ask = inFunction(
    'api',
    async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
      const response = await api.request(path, {
        method,
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      expect(response.status, `${method} ${path}`).toBeLessThan(300);
      return { etag: response.headers.get('ETag') ?? '', json: JSON.parse((await response.text()) || '{}') };
    },
  );
  const noe = { ...ada, userId: 'noe' };
  await ask('POST', '/customers', noe, key('noe'));
  await ask('POST', '/products', { ...tea, productId: 'mug' }, key('mug'));
  const order = { items: [{ productId: 'mug', quantity: 1 }] };
  const placed = await ask('POST', '/customers/noe/orders', order, key('o'));
  const { orderId } = placed.json;
  const { etag } = await ask('GET', `/customers/noe/orders/${orderId}`);
  await ask('PATCH', `/customers/noe/orders/${orderId}`, { status: 'paid' }, { 'If-Match': etag });
  await ask('GET', `/orders/${orderId}`);
  await ask('GET', '/orders?status=paid');
  await ask('GET', '/customers/noe/orders');
  await ask('GET', '/search/products?q=tea');
  await ask('GET', `/customers/noe/orders/${orderId}/history`);
  await ask('DELETE', `/customers/noe/orders/${orderId}`);
}

const listed = (name: FunctionName) =>
  rightsOf(name, { app, apiRights, on: everything })
    .map(({ action, on }) => `${action} on ${on}`)
    .sort();

test.each(functionNames)('%s is given what it calls, and nothing else', (name) => {
  expect([...(called.get(name) ?? [])].sort()).toEqual(listed(name));
});

describe('what is off', () => {
  const off = { search: false, cache: false, searchSecret: true, cacheSecret: true };

  test.each(functionNames)('gives %s no right', (name) => {
    const less = rightsOf(name, { app, apiRights, on: off }).map(({ action, on }) => `${action} on ${on}`);
    expect(less.filter((right) => right.includes('secret'))).toEqual([]);
    expect(less.filter((right) => !listed(name).includes(right))).toEqual([]);
  });

  test('search is not re-read, so that project reads no item', () => {
    const rights = rightsOf('project', { app, apiRights, on: off });
    expect(rights).not.toContainEqual({ action: 'dynamodb:BatchGetItem', on: 'table' });
  });
});

test('a record of somebody else comes to nobody; one of ours without its type does', async () => {
  const put = (item: Record<string, string>) =>
    home.connections.dynamodb.send(
      new PutItemCommand({ TableName: home.store.tableName, Item: encodeItem(item) }),
    );
  await put({ pk: 'SESSION#1', sk: 'PROFILE' });
  await put({ pk: 'USER#nameless', sk: 'PROFILE' });
  await home.settle();
  const keys = home.batches.flatMap(({ event }) =>
    event.Records.map(({ dynamodb }) => dynamodb?.Keys?.pk?.S),
  );
  expect(keys).toContain('USER#nameless');
  expect(keys).not.toContain('SESSION#1');
});
