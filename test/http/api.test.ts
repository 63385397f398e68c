import { get } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { handler } from '../../handlers/api.ts';
import { app } from '../../src/app.ts';
import { openApi } from '../../src/http/api.ts';
import { startApi } from '../../src/local/api.ts';
import { openLog } from '../../src/log.ts';
import { getStored } from '../../src/table/read.ts';
import { ada, key, startShopApi, tea } from './shopApi.ts';

let shop: Awaited<ReturnType<typeof startShopApi>>;

beforeAll(async () => {
  shop = await startShopApi();
  await shop.ask('POST', '/customers', ada, key('ada'));
  await shop.ask('POST', '/products', tea, key('tea'));
});
afterAll(() => shop.stop());

test('a customer is created once for each key, and says where it is and at which version', async () => {
  const bob = { ...ada, userId: 'bob', email: 'bob@example.com' };
  const first = await shop.ask('POST', '/customers', bob, key('bob'));
  expect(first).toMatchObject({
    status: 201,
    location: '/customers/bob',
    json: { userId: 'bob', name: 'Ada' },
  });
  const again = await shop.ask('POST', '/customers', bob, key('bob'));
  expect(again).toMatchObject({ status: 200, etag: first.etag });
  expect(await shop.ask('POST', '/customers', bob, key('another'))).toMatchObject({
    status: 409,
    json: { title: 'Already exists' },
  });
  expect(await shop.ask('POST', '/customers', { ...bob, name: 'Bert' }, key('bob'))).toMatchObject({
    status: 422,
    json: { title: 'Idempotency-Key used before' },
  });
});

test('what is wrong with a request is a problem that says what to do', async () => {
  const missing = await shop.ask('POST', '/customers', ada);
  expect(missing).toMatchObject({ status: 400, type: 'application/problem+json' });
  expect(missing.json).toEqual({
    type: 'urn:sluice:problem:idempotency-key-required',
    title: 'Idempotency-Key required',
    status: 400,
    detail: expect.any(String),
    next: expect.stringContaining('Idempotency-Key'),
  });
  const wrong = await shop.ask('POST', '/customers', { ...ada, email: 'no address', extra: 1 }, key('x'));
  expect(wrong.status).toBe(400);
  expect(wrong.json.detail).toContain('email');
  expect(wrong.json.detail).not.toContain('no address');
  expect(await shop.ask('GET', '/customers/nobody')).toMatchObject({ status: 404 });
  expect(await shop.ask('GET', '/nowhere')).toMatchObject({ status: 404, type: 'application/problem+json' });
  const noJson = await shop.api.request('/customers', { method: 'POST', body: '{', headers: key('y') });
  expect(noJson.status).toBe(400);
});

test('an update names the version it has seen, and a stale one is refused', async () => {
  const { etag } = await shop.ask('GET', '/customers/ada');
  expect(await shop.ask('PATCH', '/customers/ada', { name: 'Ada A.' })).toMatchObject({ status: 428 });
  const updated = await shop.ask('PATCH', '/customers/ada', { name: 'Ada A.' }, { 'If-Match': etag });
  expect(updated).toMatchObject({ status: 200, json: { name: 'Ada A.', email: 'ada@example.com' } });
  expect(updated.etag).not.toBe(etag);
  expect(await shop.ask('PATCH', '/customers/ada', { name: 'X' }, { 'If-Match': etag })).toMatchObject({
    status: 412,
    json: { title: 'Stale version' },
  });
  expect(await shop.ask('PATCH', '/customers/ada', { name: 'X' }, { 'If-Match': '*' })).toMatchObject({
    status: 400,
  });
});

test('a writer sees its own write at once, past the cache', async () => {
  await shop.ask('GET', '/products/tea');
  expect(await shop.cache.peek('product:tea')).toBeDefined();
  const { etag } = await shop.ask('GET', '/products/tea');
  await shop.ask('PATCH', '/products/tea', { price: 13 }, { 'If-Match': etag });
  expect((await shop.ask('GET', '/products/tea')).json.price).toBe(13);
  await shop.ask('GET', '/products?category=drinks');
  const moved = await shop.ask('GET', '/products/tea');
  await shop.ask('PATCH', '/products/tea', { category: 'leaves' }, { 'If-Match': moved.etag });
  expect((await shop.ask('GET', '/products?category=drinks')).json.items).toEqual([]);
  expect((await shop.ask('GET', '/products?category=leaves')).json.items).toHaveLength(1);
  await shop.ask('POST', '/products/tea/restock', { quantity: 5 }, key('restock'));
  await shop.ask('POST', '/products/tea/restock', { quantity: 5 }, key('restock'));
  expect((await shop.ask('GET', '/products/tea')).json.stock).toBe(15);
  expect(await shop.ask('POST', '/products/tea/restock', { quantity: 5 })).toMatchObject({ status: 400 });
});

test('an order is placed once for each key, steps as declared, and is gone for good once removed', async () => {
  const body = { items: [{ productId: 'tea', quantity: 2 }] };
  const placed = await shop.ask('POST', '/customers/ada/orders', body, key('cart'));
  expect(placed).toMatchObject({ status: 201, json: { status: 'pending', userId: 'ada' } });
  expect(await shop.ask('POST', '/customers/ada/orders', body, key('cart'))).toMatchObject({ status: 200 });
  const orderId = placed.json.orderId;
  expect((await shop.ask('GET', `/orders/${orderId}`)).json).toEqual(placed.json);
  const paid = await shop.ask('PATCH', placed.location, { status: 'paid' }, { 'If-Match': placed.etag });
  expect(paid).toMatchObject({ status: 200, json: { status: 'paid' } });
  expect(
    await shop.ask('PATCH', placed.location, { status: 'pending' }, { 'If-Match': paid.etag }),
  ).toMatchObject({
    status: 409,
    json: { title: 'Illegal step' },
  });
  expect((await shop.ask('GET', '/orders?status=paid')).json.items).toHaveLength(1);
  expect(await shop.ask('GET', '/orders?status=lost')).toMatchObject({ status: 400 });
  expect(await shop.ask('DELETE', placed.location)).toMatchObject({ status: 204 });
  expect(await shop.ask('GET', placed.location)).toMatchObject({ status: 404 });
  expect(await shop.ask('POST', '/customers/ada/orders', body, key('cart'))).toMatchObject({ status: 410 });
});

test('too much of a product is refused, and so is a line that makes no sense', async () => {
  const order = (quantity: number) =>
    shop.ask(
      'POST',
      '/customers/ada/orders',
      { items: [{ productId: 'tea', quantity }] },
      key(`q${quantity}`),
    );
  expect(await order(9_999)).toMatchObject({ status: 409, json: { title: 'Not enough left' } });
  expect(await order(0)).toMatchObject({ status: 400 });
});

test("a customer's orders come newest first, page by page, without a gap or a repeat", async () => {
  const input = { userId: 'cleo', name: 'Cleo', email: 'cleo@example.com', marketing: false };
  await shop.ask('POST', '/customers', input, key('cleo'));
  const placed: string[] = [];
  for (let number = 0; number < 5; number++) {
    const body = { items: [{ productId: 'tea', quantity: 1 }] };
    placed.unshift((await shop.ask('POST', '/customers/cleo/orders', body, key(`n${number}`))).json.orderId);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await shop.ask('DELETE', `/customers/cleo/orders/${placed[1]}`);
  const seen: string[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const page = await shop.ask('GET', `/customers/cleo/orders?limit=2${cursor && `&cursor=${cursor}`}`);
    seen.push(...page.json.items.map(({ orderId }: { orderId: string }) => orderId));
    cursor = page.json.next;
  }
  expect(seen).toEqual(placed.filter((_, index) => index !== 1));
  expect(await shop.ask('GET', '/customers/cleo/orders?cursor=nonsense')).toMatchObject({ status: 400 });
  const { json } = await shop.ask('GET', '/customers/cleo/orders?limit=1');
  expect(await shop.ask('GET', `/customers/ada/orders?cursor=${json.next}`)).toMatchObject({ status: 400 });
  expect(await shop.ask('GET', '/customers/cleo/orders?limit=1000')).toMatchObject({ status: 400 });
});

test('a customer that was removed is not there, and may sign up again', async () => {
  const dora = { ...ada, userId: 'dora', email: 'dora@example.com' };
  await shop.ask('POST', '/customers', dora, key('dora-1'));
  expect(await shop.ask('DELETE', '/customers/dora')).toMatchObject({ status: 204 });
  expect(await shop.ask('GET', '/customers/dora')).toMatchObject({ status: 404 });
  expect(await shop.ask('DELETE', '/customers/dora')).toMatchObject({ status: 410 });
  expect(await shop.ask('POST', '/customers', dora, key('dora-1'))).toMatchObject({ status: 410 });
  expect(await shop.ask('POST', '/customers', dora, key('dora-2'))).toMatchObject({ status: 201 });
});

test('full text finds documents, by words and by exact values', async () => {
  const document = { ...tea, productId: 'oolong', name: 'Oolong' };
  await shop.search.bulk({ body: [{ index: { _index: 'products', _id: 'p1' } }, document] });
  expect((await shop.ask('GET', '/search/products?q=oolong')).json).toEqual({
    total: 1,
    items: [document],
    highlights: [{ name: ['<em>Oolong</em>'] }],
  });
  expect((await shop.ask('GET', '/search/products?q=oolong&category=food')).json.total).toBe(0);
  expect(await shop.ask('GET', '/search/products?colour=red')).toMatchObject({ status: 400 });
  for (const filter of ['price=abc', 'constructor=x', 'stock=', 'price=Infinity', 'name=Oolong', 'cursor=x'])
    expect(await shop.ask('GET', `/search/products?${filter}`), filter).toMatchObject({ status: 400 });
  expect((await shop.ask('GET', '/search/products?price=12.5')).json.total).toBe(1);
  expect(await shop.ask('GET', '/search/secrets')).toMatchObject({ status: 404 });
});

test('an error that nobody foresaw tells the caller nothing of the inside, and the log no message', async () => {
  const said: string[] = [];
  const log = openLog({ level: 'info', json: true, now: Date.now, write: (line) => void said.push(line) });
  const broken = openApi(app, { ...shop.connections, log }, (api) => {
    api.get('/broken', () => {
      throw new TypeError('the secret of ada@example.com');
    });
  });
  const response = await broken.request('/broken');
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('secret');
  expect(said.join()).toContain('TypeError');
  expect(said.join()).not.toContain('secret');
});

test('on this machine it answers under its own address only', async () => {
  const local = await startApi(app, shop.api);
  expect((await fetch(`${local.url}/customers/ada`)).status).toBe(200);
  expect((await fetch(`${local.url.replace('127.0.0.1', 'localhost')}/customers/ada`)).status).toBe(200);
  const foreign = await ask(local.url, '/customers/ada', 'evil.example.com');
  expect(foreign).toEqual({ status: 403, type: 'application/problem+json' });
  await local.stop();
});

/** `fetch` sets the Host header by itself. */
function ask(
  url: string,
  path: string,
  host: string,
): Promise<{ status: number | undefined; type: string | undefined }> {
  return new Promise((resolve, reject) => {
    get(`${url}${path}`, { headers: { Host: host } }, (response) => {
      response.resume();
      resolve({ status: response.statusCode, type: response.headers['content-type'] });
    }).on('error', reject);
  });
}

test('on Lambda the same routes answer an HTTP API, and know who asks', async () => {
  const environment = { ...process.env };
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_DYNAMODB: shop.endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  const identity = 'arn:aws:iam::000000000000:user/carla';
  const event = {
    version: '2.0',
    routeKey: '$default',
    rawPath: '/customers',
    rawQueryString: '',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'lambda' },
    requestContext: {
      http: { method: 'POST', path: '/customers' },
      authorizer: { iam: { userArn: identity } },
    },
    body: JSON.stringify({ ...ada, userId: 'emil', email: 'emil@example.com' }),
    isBase64Encoded: false,
  };
  const answer = await handler(event as never, {} as never);
  expect(answer).toMatchObject({ statusCode: 201, headers: { location: '/customers/emil' } });
  const stored = await getStored(shop.store, { pk: 'USER#emil', sk: 'PROFILE' });
  expect(stored?.fields._actor).toBe(identity);
  process.env = environment;
});
