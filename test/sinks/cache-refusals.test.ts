/** What a real Redis refuses, and for how long: each passes by itself, and costs no answer meanwhile. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCache } from '../../src/sinks/cache/open.ts';
import type { CachePort } from '../../src/sinks/cache/port.ts';
import { readThrough } from '../../src/sinks/cache/read.ts';
import { hasRedis, startRedis, unlessRedis } from './redis.ts';

/** An address that leads to one server, and, once it is told to, to another: for new connections only. */
async function openAddress(target: number) {
  let leadsTo = target;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connect(leadsTo, '127.0.0.1');
    for (const one of [socket, onward]) {
      sockets.add(one);
      one.on('error', () => {}).on('close', () => [socket, onward].map((end) => end.destroy()));
    }
    socket.pipe(onward).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lead(port: number) {
      leadsTo = port;
    },
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe.skipIf(!hasRedis)(`Redis${unlessRedis}`, () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  let port: CachePort;
  beforeAll(async () => {
    server = await startRedis(['--busy-reply-threshold', '50']);
    port = openCache(server.url, 'shop:');
  });
  afterAll(async () => {
    await port?.close();
    await server?.stop();
  });

  const through = (key: string) => readThrough({ port, key, read: async () => 'of the table' });
  const refused = () => port.invalidate(['lamp', 'order']).catch((error: Error) => error.message);

  test('that runs somebody’s long script is busy, and takes all again once that has ended', async () => {
    const killer = server.raw.duplicate();
    const script = server.raw.eval('while true do end', 0).catch((error: Error) => error.message);
    await wait(200);
    expect(await refused()).toMatch(/^BUSY/);
    expect(await through('lamp')).toBe('of the table');
    await killer.script('KILL');
    killer.disconnect();
    expect(await script).toContain('killed');
    expect(await port.invalidate(['lamp'])).toEqual([true]);
    await through('lamp');
    expect(await port.peek('lamp')).toBeDefined();
  });

  test('that is full gives what it holds and forgets what it is told, but takes nothing new', async () => {
    await through('held');
    await through('told');
    await server.raw.config('SET', 'maxmemory-policy', 'noeviction');
    await server.raw.config('SET', 'maxmemory', '1mb');
    expect(await port.read('held')).toMatchObject({ value: expect.any(String) });
    expect(await port.invalidate(['told'])).toEqual([true]);
    await expect(port.read('told')).rejects.toThrow('OOM');
    expect(await through('told')).toBe('of the table');
    await server.raw.config('SET', 'maxmemory', '0');
    await through('told');
    expect(await port.peek('told')).toBeDefined();
  });

  test('that has become a replica refuses once: then we are where its address leads to by now', async () => {
    const successor = await startRedis();
    const address = await openAddress(server.port);
    const moved = openCache(address.url, 'shop:');
    expect(await moved.invalidate(['lamp'])).toEqual([true]);
    await server.raw.replicaof('127.0.0.1', successor.port);
    address.lead(successor.port);
    await expect(moved.invalidate(['lamp'])).rejects.toThrow('READONLY');
    expect(await moved.invalidate(['lamp'])).toEqual([true]);
    const held = await moved.read('lamp');
    await moved.fill('lamp', 'token' in held ? held.token : '', 'Lamp', 60_000);
    expect(await successor.raw.hget('shop:lamp', 'v')).toBe('Lamp');
    await moved.close();
    address.stop();
    await server.raw.replicaof('NO', 'ONE');
    await successor.stop();
  });
});
