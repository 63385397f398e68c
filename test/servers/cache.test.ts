import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { Redis } from 'iovalkey';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startCache } from '../../src/local/servers/cache.ts';
import { fillScript, readScript } from '../../src/sinks/cache/commands.ts';
import type { CachePort } from '../../src/sinks/cache/port.ts';
import { redisCache } from '../../src/sinks/cache/redis.ts';
import { hasRedis, startRedis, unlessRedis } from '../sinks/redis.ts';

const toStop: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop();
});

async function start(options: Parameters<typeof startCache>[0] = {}) {
  const server = await startCache(options);
  toStop.push(server.stop);
  return server;
}

function open(url: string): CachePort {
  const cache = redisCache(url, 'shop:');
  toStop.push(cache.close);
  return cache;
}

/** The client without our code on top; it never tries again. */
function rawClient(url: string): Redis {
  const client = new Redis(url, { retryStrategy: () => null });
  toStop.push(() => client.disconnect());
  return client;
}

async function missed(cache: CachePort, key: string): Promise<string> {
  const held = await cache.read(key);
  if ('value' in held) throw new Error('It is no miss.');
  return held.token;
}

type Bytes = string | Buffer;

function encoded(...parts: Bytes[]): Buffer {
  const pieces = parts.flatMap((part) => [`$${Buffer.byteLength(part)}\r\n`, part, '\r\n']);
  return Buffer.concat([`*${parts.length}\r\n`, ...pieces].map((piece) => Buffer.from(piece)));
}

const quit = encoded('QUIT');

/** Everything that is answered on a connection of its own, which the server has to end. */
async function exchange(url: string, packets: Iterable<Uint8Array>, apart = false): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const answered: Buffer[] = [];
  socket.on('data', (bytes) => answered.push(bytes));
  socket.on('error', () => {}); // a server may reset the connection that it is told too much on
  const closed = once(socket, 'close');
  for (const packet of packets) {
    socket.write(packet);
    if (apart) await wait(1);
  }
  await closed;
  return Buffer.concat(answered).toString('latin1');
}

const ask = (url: string, ...commands: Buffer[]) => exchange(url, [Buffer.concat([...commands, quit])]);

describe('with the client of the cache', () => {
  it('tokens end after ten seconds and values when they were told to, by the clock that was given', async () => {
    let now = 1_000_000;
    const cache = open((await start({ now: () => now })).url);
    const [late, soon] = [await missed(cache, 'late'), await missed(cache, 'soon')];
    now += 9_999;
    expect(await cache.fill('soon', soon, 'value', 30_000)).toBe(true);
    now += 1;
    expect(await cache.fill('late', late, 'value', 30_000)).toBe(false);
    expect(await missed(cache, 'late')).not.toBe(late);
    now += 29_998;
    expect(await cache.peek('soon')).toBe('value');
    now += 1;
    expect(await cache.peek('soon')).toBeUndefined();
  });

  it('a client that is gone in the middle of a command disturbs nobody', async () => {
    const { url } = await start();
    const cache = open(url);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(encoded('HSET', 'shop:lamp', 'v', 'x'.repeat(100_000)).subarray(0, 70_000));
    await wait(5);
    socket.resetAndDestroy();
    expect(await cache.peek('lamp')).toBeUndefined();
    expect(await ask(url, encoded('EXISTS', 'shop:lamp'))).toBe(':0\r\n+OK\r\n');
  });
});

describe('stopped and started again at the same port', () => {
  it('it is used again by the same client, and has kept nothing', async () => {
    const first = await startCache();
    const port = Number(new URL(first.url).port);
    const cache = open(first.url);
    const token = await missed(cache, 'lamp');
    await cache.fill('chair', await missed(cache, 'chair'), 'Chair', 60_000);
    await first.stop();
    const before = performance.now();
    await expect(cache.invalidate(['chair'])).rejects.toThrow('retries');
    expect(performance.now() - before).toBeLessThan(2_000);
    const second = await start({ port });
    expect(second.url).toBe(first.url);
    const isBack = () =>
      cache.peek('any').then(
        () => true,
        () => false,
      );
    await expect.poll(isBack, { timeout: 5_000 }).toBe(true);
    expect(await cache.peek('chair')).toBeUndefined();
    expect(await cache.fill('lamp', token, 'Lamp', 60_000)).toBe(false);
    expect(await cache.fill('lamp', await missed(cache, 'lamp'), 'Lamp', 60_000)).toBe(true);
  });

  it('to stop ends open connections at once, and a second time does nothing', async () => {
    const server = await start();
    const client = rawClient(server.url);
    await client.ping();
    const ended = once(client, 'end');
    await server.stop();
    await ended;
    await server.stop();
  });

  it('a port that is taken is an error', async () => {
    const { url } = await start();
    await expect(startCache({ port: Number(new URL(url).port) })).rejects.toThrow('EADDRINUSE');
  });
});

describe('the protocol', () => {
  it('a key loses its end with itself, and keeps it while fields are set', async () => {
    let now = 1_000_000;
    const client = rawClient((await start({ now: () => now })).url);
    await client.hset('a', 'f', '1');
    expect(await client.pttl('a')).toBe(-1);
    expect(await client.pexpire('a', 5_000)).toBe(1);
    now += 1_000;
    await client.hset('a', 'g', '2');
    expect(await client.pttl('a')).toBe(4_000);
    expect(await client.exists('a', 'a', 'b')).toBe(2);
    await client.del('a');
    await client.hset('a', 'f', '1');
    expect(await client.pttl('a')).toBe(-1);
    await client.pexpire('a', 1);
    now += 1;
    expect(await client.pttl('a')).toBe(-2);
    expect(await client.unlink('a', 'b')).toBe(0);
    expect(await client.hset('a', 'g', '2')).toBe(1);
    expect(await client.hget('a', 'f')).toBeNull();
  });

  it('an unknown command is named in the answer, and the connection goes on', async () => {
    const client = rawClient((await start()).url);
    await expect(client.set('lamp', 'Lamp')).rejects.toThrow(
      "ERR unknown command 'set', with args beginning with: 'lamp' 'Lamp' ",
    );
    expect(await client.ping()).toBe('PONG');
  });

  it('only our own two scripts are run', async () => {
    const client = rawClient((await start()).url);
    await expect(client.eval('return 1', 0)).rejects.toThrow('ERR this stand-in runs only');
    await expect(client.script('LOAD', 'return 1')).rejects.toThrow('ERR this stand-in runs only');
    await expect(client.eval(readScript, 1, 'chair')).rejects.toThrow('must be strings or integers');
  });

  it('as many arguments as it takes are no trouble, and one more ends the connection', async () => {
    const { url } = await start();
    const keys = Array.from({ length: 29_999 }, (_, index) => `key ${index}`);
    expect(await ask(url, encoded('UNLINK', ...keys))).toBe(':0\r\n+OK\r\n');
    expect(await ask(url, encoded('UNLINK', 'one more', ...keys))).toBe(
      '-ERR Protocol error: invalid multibulk length\r\n',
    );
  });

  it('a web page that sends a form to the port does nothing', async () => {
    const { url } = await start();
    await ask(url, encoded('HSET', 'lamp', 'v', 'Lamp'));
    const form = `POST / HTTP/1.1\r\nHost: localhost\r\n\r\n${encoded('FLUSHALL')}`;
    expect(await exchange(url, [Buffer.from(form)])).toBe("-ERR Protocol error: expected '*', got 'P'\r\n");
    expect(await ask(url, encoded('EXISTS', 'lamp'))).toBe(':1\r\n+OK\r\n');
  });

  it('packets may be cut and joined anywhere', async () => {
    const { url } = await start();
    const sent = Buffer.concat([
      encoded('HSET', 'lamp', 'v', '\r\n*1\r\n$4\r\nPING\r\n'),
      encoded('HGET', 'lamp', 'v'),
      encoded('PING'),
      quit,
    ]);
    const answers = ':1\r\n$16\r\n\r\n*1\r\n$4\r\nPING\r\n\r\n+PONG\r\n+OK\r\n';
    const single = Array.from(sent, (byte) => Uint8Array.of(byte));
    expect(await exchange(url, single, true)).toBe(answers);
    for (let at = 1; at < sent.length; at += 7) {
      await ask(url, encoded('FLUSHALL'));
      expect(await exchange(url, [sent.subarray(0, at), sent.subarray(at)], true)).toBe(answers);
    }
  });
});

describe.skipIf(!hasRedis)(`a real Redis answers byte for byte the same${unlessRedis}`, () => {
  let real: Awaited<ReturnType<typeof startRedis>>;
  let standIn: Awaited<ReturnType<typeof startCache>>;
  beforeAll(async () => {
    [real, standIn] = await Promise.all([startRedis(), startCache()]);
  });
  afterAll(async () => {
    await Promise.all([real?.stop(), standIn?.stop()]);
  });

  async function compare(...sent: Buffer[]): Promise<string> {
    const packets = [Buffer.concat([encoded('FLUSHALL'), ...sent, quit])];
    const [expected, answered] = [await exchange(real.url, packets), await exchange(standIn.url, packets)];
    expect(answered).toBe(expected);
    return answered;
  }

  const sha = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db';

  it('to commands one after the other', async () => {
    const binary = Buffer.from([0, 13, 10, 0x80, 0xff]);
    const answers = await compare(
      encoded('HSET', 'a', 'f', '1', 'g', '2', 'f', '3'),
      encoded('hget', 'a', 'f'),
      encoded('HGET', 'a', 'nothing'),
      encoded('HSET', binary, binary, binary),
      encoded('HGET', binary, binary),
      encoded('PTTL', 'a'),
      encoded('PTTL', 'b'),
      encoded('PEXPIRE', 'a', '100000'),
      encoded('PEXPIRE', 'b', '100000'),
      encoded('EXISTS', 'a', 'a', 'b', binary),
      encoded('PEXPIRE', 'a', '0'),
      encoded('EXISTS', 'a'),
      encoded('HSET', 'c', 'f', ''),
      encoded('PEXPIRE', 'c', '-5'),
      encoded('UNLINK', 'a', 'c', binary, 'b'),
      encoded('DEL', 'a'),
      encoded('SELECT', '0'),
      encoded('PING'),
      encoded('PING', binary),
      encoded('FLUSHALL', 'ASYNC'),
    );
    expect(answers.startsWith('+OK\r\n:2\r\n$1\r\n3\r\n$-1\r\n')).toBe(true);
  });

  it('to our scripts', async () => {
    const loaded = await compare(
      encoded('SCRIPT', 'LOAD', readScript),
      encoded('script', 'load', fillScript),
    );
    const [readSha = '', fillSha = ''] = loaded.match(/[0-9a-f]{40}/g) ?? [];
    await compare(
      encoded('EVAL', readScript, '1', 'a', 'one', '10000'),
      encoded('EVALSHA', readSha, '1', 'a', 'two', '10000'),
      encoded('EVALSHA', fillSha, '1', 'a', 'two', 'value', '10000'),
      encoded('EVALSHA', fillSha, '1', 'a', 'one', Buffer.from([0, 13, 10, 0xff]), '10000'),
      encoded('EVALSHA', fillSha, '1', 'a', 'one', 'again', '10000'),
      encoded('EVALSHA', readSha, '1', 'a', 'three', '10000'),
      encoded('HGET', 'a', 't'),
      encoded('EVALSHA', fillSha, '1', 'nothing', 'one', 'value', '10000'),
      encoded('EVALSHA', fillSha, '1', 'nothing'),
      encoded('EXISTS', 'nothing'),
      encoded('EVAL', readScript, '1', 'b', 'one', '0'),
      encoded('EXISTS', 'b'),
      encoded('EVALSHA', fillSha, '2', 'a'),
      encoded('EVALSHA', fillSha, '-1'),
      encoded('EVALSHA', fillSha, 'x'),
    );
  });

  it('to what is wrong', async () => {
    await compare(
      encoded('NOPE'),
      encoded('__proto__'),
      encoded('script|load', 'a'),
      encoded('NO\r\nPE', 'a\nb', 'c\0d', 'x'.repeat(300), 'z'),
      encoded('n'.repeat(300), ''),
      encoded(''),
      encoded('HGET', 'a'),
      encoded('HSET', 'a', 'b'),
      encoded('HSET', 'a', 'b', 'c', 'd'),
      encoded('DEL'),
      encoded('EXISTS'),
      encoded('PTTL', 'a', 'b'),
      encoded('PING', 'a', 'b'),
      ...['01', '+1', ' 1', '1.5', '', '-0', '9223372036854775807', '9223372036854775808'].map((text) =>
        encoded('PEXPIRE', 'a', text),
      ),
      encoded('PEXPIRE', 'a', '1', 'foo'),
      encoded('SELECT', 'x'),
      encoded('SELECT', '99'),
      encoded('FLUSHALL', 'x'),
      encoded('SCRIPT'),
      encoded('SCRIPT', 'nope'),
      encoded('SCRIPT', 'LOAD'),
      encoded('SCRIPT', 'LOAD', 'a', 'b'),
      encoded('EVAL', readScript),
      encoded('EVAL', readScript, '2', 'k'),
      encoded('EVALSHA', 'short', 'x'),
      encoded('EVALSHA', sha, '0'),
      encoded('EVALSHA', sha, 'x'),
    );
  });

  it('to what is hardly the protocol', async () => {
    const headers = [
      '*x',
      '*',
      '*2147483648',
      '*1\r\n$-1',
      '*1\r\n$x',
      '*1\r\n$536870913',
      '*1\r\n+OK',
      '*1\r\n',
    ];
    for (const header of headers)
      expect(await compare(Buffer.from(`${header}\r\n`))).toContain('-ERR Protocol error');
    for (const header of ['*', '*1\r\n$'])
      expect(await compare(Buffer.from(header + '1'.repeat(70_000)))).toContain('-ERR Protocol error');
    for (const odd of ['*0\r\n*-1\r\n', '*1\r\n$4\r\nPINGxx', '*1\r\n$0\r\n\r\n'])
      expect(await compare(Buffer.from(odd))).not.toContain('Protocol error');
  });

  it('to any commands on a few keys, however they are cut', async () => {
    const word = fc.constantFrom('a', 'b', 'v', 't', '', '\0\r\n');
    const time = fc.constantFrom('100000', '0', '-1', 'x');
    const words = fc.array(word, { maxLength: 4 });
    const command = fc.oneof(
      fc.tuple(fc.constant('HGET'), word, word),
      fc.tuple(fc.constant('HSET'), word, word, word),
      fc.tuple(fc.constant('PEXPIRE'), word, time),
      fc.tuple(
        fc.constant('EVAL'),
        fc.constant(readScript),
        fc.constant('1'),
        word,
        word,
        fc.constant('50000'),
      ),
      fc.tuple(
        fc.constant('EVAL'),
        fc.constant(fillScript),
        fc.constant('1'),
        word,
        word,
        word,
        fc.constant('50000'),
      ),
      fc
        .tuple(fc.constantFrom('HSET', 'DEL', 'UNLINK', 'EXISTS', 'nope'), words)
        .map(([name, args]) => [name, ...args]),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { maxLength: 40 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 200 })),
        async (commands, sizes) => {
          const whole = Buffer.concat([
            encoded('FLUSHALL'),
            ...commands.map((parts) => encoded(...parts)),
            quit,
          ]);
          const packets: Buffer[] = [];
          for (let at = 0; at < whole.length; ) {
            const size = sizes.next().value;
            packets.push(whole.subarray(at, at + size));
            at += size;
          }
          expect(await exchange(standIn.url, packets)).toBe(await exchange(real.url, packets));
        },
      ),
      { numRuns: 200 },
    );
  });
});
