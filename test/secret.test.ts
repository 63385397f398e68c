/** A password that lives in Secrets Manager, and is changed there while the functions run. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Killable, listen, type Request } from '../src/local/servers/http.ts';
import { openSecret } from '../src/secret.ts';
import { openCache } from '../src/sinks/cache/open.ts';
import { bySecret, openSearch } from '../src/sinks/search/open.ts';
import { startGuardedCache } from './support/guardedCache.ts';
import { account } from './support/shop.ts';

/** What Secrets Manager holds, what it was asked, and the password that the services take. */
const vault = { holds: '', asked: [] as string[] };
let accepted = '';

const put = (password: string) => {
  vault.holds = JSON.stringify({ username: 'sluice', password });
};

let manager: Killable;
let search: Killable;
let cache: Awaited<ReturnType<typeof startGuardedCache>>;
let client: SecretsManagerClient;

beforeAll(async () => {
  manager = await listen(0, ({ headers, body }) => {
    if (headers['x-amz-target'] !== 'secretsmanager.GetSecretValue') return { status: 400 };
    vault.asked.push(JSON.parse(body).SecretId);
    return vault.holds === ''
      ? { status: 400, body: JSON.stringify({ __type: 'ResourceNotFoundException' }) }
      : { status: 200, body: JSON.stringify({ SecretString: vault.holds }) };
  });
  search = await listen(0, ({ headers }: Request) => {
    const isKnown = headers.authorization === `Basic ${btoa(`sluice:${accepted}`)}`;
    const json = { 'content-type': 'application/json' };
    return isKnown ? { status: 200, headers: json, body: '{"docs":[]}' } : { status: 401, headers: json };
  });
  cache = await startGuardedCache(() => accepted);
  client = new SecretsManagerClient({ endpoint: manager.url, ...account, maxAttempts: 1 });
});

afterAll(async () => {
  client.destroy();
  await Promise.all([manager.stop(), search.stop(), cache.stop()]);
});

beforeEach(() => {
  put('first');
  accepted = 'first';
  vault.asked = [];
  cache.drop();
});

/** Each sink's service, asked something: whether it answered. */
const services = {
  search() {
    const opened = openSearch(search.url, 1_000, bySecret(openSecret(client, 'shop/search')));
    return {
      ask: () => opened.mget({ body: { docs: [] } }).then(({ statusCode }) => statusCode === 200),
      close: () => opened.close(),
    };
  },
  cache() {
    const port = openCache(cache.url, 'shop:', openSecret(client, 'shop/search'));
    return { ask: async () => 'token' in (await port.read('lamp')), close: () => port.close() };
  },
};

describe.each(['search', 'cache'] as const)('%s', (name) => {
  test('is asked with the password, which is read once', async () => {
    const service = services[name]();
    expect(await Promise.all([service.ask(), service.ask()])).toEqual([true, true]);
    expect(await service.ask()).toBe(true);
    expect(vault.asked).toEqual(['shop/search']);
    await service.close();
  });

  test('that refuses the password is asked again with the one that lies there now', async () => {
    const service = services[name]();
    expect(await service.ask()).toBe(true);
    put('second');
    accepted = 'second';
    cache.drop(); // Redis lets a connection go on that came in with the old password
    expect(await Promise.all([service.ask(), service.ask(), service.ask()])).toEqual([true, true, true]);
    expect(vault.asked).toHaveLength(2);
    await service.close();
  });

  test('that refuses what was read again too is told so, and nobody asks on and on', async () => {
    const service = services[name]();
    accepted = 'another';
    await expect(service.ask()).rejects.toThrow();
    expect(vault.asked).toHaveLength(2);
    await service.close();
  });

  test('fails while the secret cannot be read, and works once it can', async () => {
    const service = services[name]();
    vault.holds = '';
    await expect(service.ask()).rejects.toThrow();
    put('first');
    expect(await service.ask()).toBe(true);
    await service.close();
  });
});

test('ten who are refused in one moment read it again once, and have one answer', async () => {
  const secret = openSecret(client, 'shop/search');
  const refused = await secret.read();
  put('second');
  const renewed = await Promise.all(Array.from({ length: 10 }, () => secret.renew(refused)));
  expect(vault.asked).toHaveLength(2);
  expect(new Set(renewed).size).toBe(1); // a client is opened for each that differs
  expect(renewed[0]).toMatchObject({ password: 'second' });
});

test.each(['no json', '{"user":"x"}', '"text"'])(
  'a secret of another form is named, never shown: %s',
  async (form) => {
    vault.holds = form;
    const error = await openSecret(client, 'shop/search')
      .read()
      .catch((thrown: Error) => thrown);
    expect((error as Error).message).toContain('The secret shop/search must be JSON');
    expect((error as Error).message).not.toContain(form);
  },
);

test('a request that is stopped while the secret is read is not sent', async () => {
  const opened = openSearch(search.url, 1_000, bySecret(openSecret(client, 'shop/search')));
  const request = opened.mget({ body: { docs: [] } });
  request.abort();
  await expect(request).rejects.toThrow('Request aborted');
  await opened.close();
});
