/** How a real server and a real cluster are come to: by user and password, with few rights, and by TLS. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Credentials, Secret } from '../../src/secret.ts';
import { openCache } from '../../src/sinks/cache/open.ts';
import type { CachePort } from '../../src/sinks/cache/port.ts';
import { programNamed } from '../support/programs.ts';
import { hasRedis, startRedis, unlessRedis } from './redis.ts';
import { startCluster } from './redisCluster.ts';

const openssl = programNamed('openssl');
const user = 'sluice';
const password = 'p@ss/w:rd %';
const keys = Array.from({ length: 30 }, (_, index) => `key${index}`);

/** All that the cache needs, as docs/deploying.md says. */
const needed = (file: string) =>
  /^ACL SETUSER sluice on >… (.*)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
const rights = needed(new URL('../../docs/deploying.md', import.meta.url).pathname).split(' ');

/** All that is ever done with a cache. */
async function useAll(port: CachePort): Promise<void> {
  for (const key of keys) {
    const held = await port.read(key);
    if ('token' in held) expect(await port.fill(key, held.token, 'value', 60_000)).toBe(true);
    expect(await port.peek(key)).toBe('value');
  }
  expect(new Set(await port.invalidate(keys))).toEqual(new Set([true]));
}

const withAccount = (url: string, word = password) =>
  url.replace('://', `://${user}:${encodeURIComponent(word)}@`);

describe.skipIf(!hasRedis).each([
  { name: `one server${unlessRedis}`, start: async () => startRedis() },
  { name: `a cluster${unlessRedis}`, start: async () => startCluster() },
])('$name', ({ start }) => {
  let server: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    server = await start();
    for (const { raw } of 'nodes' in server ? server.nodes : [server]) {
      await raw.call('ACL', 'SETUSER', user, 'on', `>${password}`, ...rights);
      await raw.call('ACL', 'SETUSER', 'default', 'resetpass');
    }
  });
  afterAll(() => server?.stop());

  test('lets in whom the URL names, and needs no more rights than we say', async () => {
    const port = openCache(withAccount(server.url), 'shop:');
    await useAll(port);
    await port.close();
  });

  test.each([
    ['another password', (url: string) => withAccount(url, 'guessed')],
    ['nobody', (url: string) => url],
  ])('lets in neither %s', async (_what, urlOf) => {
    const port = openCache(urlOf(server.url), 'shop:');
    const refused = await port.peek('key').catch((error: Error) => error.message);
    expect(refused).toMatch(/WRONGPASS|NOAUTH/);
    expect(refused).not.toContain('guessed');
    await port.close();
  });

  test('lets in whom a secret names, which is read again where the password is not right any more', async () => {
    const words = ['of yesterday', password];
    let held: Credentials = { username: user, password: words[0] ?? '' };
    const secret: Secret = {
      read: async () => held,
      async renew(refused) {
        if (refused === held) held = { username: user, password };
        return held;
      },
    };
    const port = openCache(server.url, 'shop:', secret);
    await useAll(port);
    await port.close();
  });
});

/** A certificate for `localhost`, and not for its address, that nobody has signed. */
function certify() {
  const folder = mkdtempSync(join(tmpdir(), 'redis-tls-'));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const form = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1'];
  execFileSync(openssl ?? '', [...form, ...subject, '-keyout', key, '-out', certificate], {
    stdio: 'ignore',
  });
  return {
    ca: readFileSync(certificate, 'utf8'),
    options: [
      ...['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate],
      ...['--tls-auth-clients', 'no'],
    ],
    remove: () => rmSync(folder, { recursive: true }),
  };
}

const hasTls = hasRedis && openssl !== undefined;

describe.skipIf(!hasTls)(`by TLS${hasTls ? '' : ' (left out: no redis-server or no openssl)'}`, () => {
  let certificate: ReturnType<typeof certify>;
  const usual = getCACertificates();
  beforeAll(() => {
    certificate = certify();
  });
  afterAll(() => {
    setDefaultCACertificates(usual);
    certificate?.remove();
  });
  const account = () => ({ tls: { ca: certificate.ca, servername: 'localhost' } });

  test('one server is asked once its certificate is trusted, and not before', async () => {
    const server = await startRedis(certificate.options, account());
    const url = `rediss://localhost:${server.port}`;
    const wary = openCache(url, 'shop:');
    await expect(wary.peek('key')).rejects.toThrow('self-signed certificate');
    setDefaultCACertificates([...usual, certificate.ca]);
    const port = openCache(url, 'shop:');
    await useAll(port);
    await Promise.all([port.close(), wary.close(), server.stop()]);
  });

  test('a cluster is asked by the names of its nodes, which their certificates bear', async () => {
    setDefaultCACertificates([...usual, certificate.ca]);
    const names = [
      ...['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname'],
      ...['--tls-cluster', 'yes'],
    ];
    const cluster = await startCluster({ more: [...certificate.options, ...names], account: account() });
    const port = openCache(`rediss+cluster://localhost:${cluster.nodes[0]?.port}`, 'shop:');
    await useAll(port);
    await Promise.all([port.close(), cluster.stop()]);
  });
});
