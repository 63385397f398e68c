/**
 * Requests that are signed for AWS. Behind the door each is signed once more, by the signer of OpenSearch's own client,
 * which shares no line with ours: another signature is turned away, as by AWS.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@opensearch-project/opensearch';
import { AwsSigv4Signer } from '@opensearch-project/opensearch/aws-v3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { app } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { connect, disconnect } from '../../src/connections.ts';
import { startSearch } from '../../src/local/servers/search.ts';
import { product } from '../../src/shop/entities/product.ts';
import { bulk } from '../../src/sinks/search/bulk.ts';
import { ensureIndices, removeIndices } from '../../src/sinks/search/indices.ts';
import { bySignature, openSearch } from '../../src/sinks/search/open.ts';
import { searching } from '../../src/sinks/search/query.ts';
import { confirmVersions } from '../../src/sinks/search/serverless.ts';
import { json, proxy } from './proxy.ts';

type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
type Service = 'es' | 'aoss';

const region = 'eu-central-1';
const first: Credentials = { accessKeyId: 'FIRST', secretAccessKey: 'one/secret+key' };
const signal = new AbortController().signal;

/** What the door knows, and what came through it. */
const door = { service: 'es' as Service, credentials: first, refused: [] as string[], passed: 0 };
let service: Awaited<ReturnType<typeof startSearch>>;
let url: string;
let close: () => Promise<void>;

beforeAll(async () => {
  service = await startSearch();
  const server = createServer(async (incoming, response) => {
    const body = Buffer.concat(await incoming.toArray());
    const headers = incoming.headers as Record<string, string>;
    const path = incoming.url ?? '/';
    const method = incoming.method ?? 'GET';
    const problem = problemOf({ method, path, headers, body: body.toString() });
    if (problem !== undefined) {
      door.refused.push(problem);
      response
        .writeHead(403, { 'content-type': 'application/json' })
        .end(JSON.stringify({ message: problem }));
      return;
    }
    door.passed += 1;
    const type = { 'content-type': headers['content-type'] ?? 'application/json' };
    const answer = await fetch(`${service.url}${path}`, {
      method,
      headers: type,
      ...(body.length > 0 && { body }),
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(await answer.text());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = async () => {
    server.close();
    server.closeAllConnections();
    await service.stop();
  };
});
afterAll(() => close());
beforeEach(() => {
  Object.assign(door, { service: 'es', credentials: first, refused: [], passed: 0 });
});

type Asked = { method: string; path: string; headers: Record<string, string>; body: string };

/** Why the request is not let in. */
function problemOf({ method, path, headers, body }: Asked): string | undefined {
  const signed = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? [];
  if (headers['x-amz-content-sha256'] !== createHash('sha256').update(body).digest('hex'))
    return 'the hash is of another body';
  if (!['host', 'x-amz-date', 'x-amz-content-sha256'].every((name) => signed.includes(name)))
    return 'too little is signed';
  const { credentials } = door;
  const again = AwsSigv4Signer({ region, service: door.service, getCredentials: async () => credentials });
  const { headers: expected } = again.buildSignedRequestObject({
    method,
    path,
    body,
    headers: Object.fromEntries(signed.map((name) => [name, headers[name]])),
    auth: { credentials, region, service: door.service },
  });
  return (expected as Record<string, string>).Authorization === headers.authorization
    ? undefined
    : 'the signature is another';
}

async function opened(signing: Service, credentials: () => Credentials, at = region) {
  const client = openSearch(
    url,
    1_000,
    bySignature(signing, { region: async () => at, credentials: async () => credentials() }, Date.now),
  );
  return client;
}

const document = { index: 'products', id: "Product/a b'(c)*!~é", version: 3, document: { name: 'Lämp' } };

describe.each<Service>(['es', 'aoss'])('for %s', (signing) => {
  test.each<[string, Credentials]>([
    ['a key', first],
    ['a key for a while', { accessKeyId: 'SECOND', secretAccessKey: 'two', sessionToken: 'a//token+=' }],
  ])('every request is let in, with %s', async (_what, credentials) => {
    Object.assign(door, { service: signing, credentials });
    const client = await opened(signing, () => credentials);
    const prefix = `${signing}-${credentials.accessKeyId.toLowerCase()}-`;
    await ensureIndices(client, prefix, app.entities);
    expect(await bulk({ client, prefix, signal }, [document])).toEqual([{ state: 'applied' }]);
    const search = searching({ client, prefix, now: Date.now });
    expect((await search(product, 'lämp')).hits).toMatchObject([{ id: document.id }]);
    await removeIndices(client, prefix, app.entities);
    expect(door.refused).toEqual([]);
    expect(door.passed).toBeGreaterThan(8);
    await client.close();
  });
});

test('credentials that were renewed are used from the next request on', async () => {
  let credentials = first;
  const client = await opened('es', () => credentials);
  await client.cluster.health();
  credentials = { accessKeyId: 'THIRD', secretAccessKey: 'three', sessionToken: 'token' };
  door.credentials = credentials;
  await client.cluster.health();
  expect(door.refused).toEqual([]);
  await client.close();
});

test.each<[string, () => Promise<Client>]>([
  ['not signed at all', async () => new Client({ node: url, maxRetries: 0 })],
  ['signed for another service', () => opened('aoss', () => first)],
  ['signed for another region', () => opened('es', () => first, 'us-east-1')],
  ['signed with another key', () => opened('es', () => ({ ...first, secretAccessKey: 'guessed' }))],
])('a request that is %s is turned away', async (_what, openOther) => {
  const client = await openOther();
  await expect(client.cluster.health()).rejects.toMatchObject({ statusCode: 403 });
  await client.close();
});

test('the variable alone signs with the credentials of the environment', async () => {
  Object.assign(process.env, {
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: first.accessKeyId,
    AWS_SECRET_ACCESS_KEY: first.secretAccessKey,
    AWS_SESSION_TOKEN: '',
  });
  const config = readConfig({ SLUICE_SEARCH_ENDPOINT: url, SLUICE_SEARCH_SIGNING: 'es' });
  const connections = connect(config);
  await connections.search?.cluster.health();
  expect(door).toMatchObject({ refused: [], passed: 1 });
  await disconnect(connections);
});

test('a secret and a signature exclude each other', () => {
  expect(() => readConfig({ SLUICE_SEARCH_SECRET: 'shop/search', SLUICE_SEARCH_SIGNING: 'es' })).toThrow(
    'SLUICE_SEARCH_SECRET and SLUICE_SEARCH_SIGNING exclude each other',
  );
});

describe('a collection is asked whether it keeps external versions', () => {
  test('and is used where it does; nothing of that is ever found', async () => {
    const client = new Client({ node: service.url });
    await ensureIndices(client, 'asked-', app.entities);
    await confirmVersions(client, 'asked-products-write');
    await confirmVersions(client, 'asked-products-write');
    const search = searching({ client, prefix: 'asked-', now: Date.now });
    expect((await search(product, '')).total).toBe(0);
    await client.close();
  });

  test.each([
    ['takes an older write', json(200, { items: [{ index: { status: 201 } }] })],
    ['takes none at all', json(200, { items: [{ index: { status: 400 } }] })],
  ])('and is refused where it %s', async (_what, reply) => {
    const between = await proxy(service.url);
    between.conduct = () => reply;
    const client = new Client({ node: between.url });
    await expect(confirmVersions(client, 'asked-products-write')).rejects.toThrow(
      'asked-products-write does not keep external versions',
    );
    await client.close();
    await between.down();
  });
});
