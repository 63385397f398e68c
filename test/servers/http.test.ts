import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Client } from '@opensearch-project/opensearch';
import { expect, it } from 'vitest';
import { startBus } from '../../src/local/servers/bus.ts';
import { startMail } from '../../src/local/servers/mail.ts';
import { startSearch } from '../../src/local/servers/search.ts';

const starters = { startBus, startMail, startSearch };

const connectTo = async (port: number, host: string) => {
  const socket = connect(port, host).on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
};

it.each(Object.entries(starters))(
  '%s: stop closes every socket, idle or in the middle of a request',
  async (_, start) => {
    const { url, stop } = await start();
    const port = Number(new URL(url).port);
    const sockets = [await connectTo(port, '127.0.0.1'), await connectTo(port, '127.0.0.1')];
    sockets[0]?.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf');
    sockets[1]?.write('HEAD / HTTP/1.1\r\nhost: x\r\n\r\n');
    if (sockets[1] !== undefined) await once(sockets[1], 'data');
    const closed = sockets.map((socket) => once(socket, 'close'));
    await stop();
    await Promise.all(closed);
    await expect(connectTo(port, '127.0.0.1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  },
);

const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal);

it.each(Object.entries(starters))('%s: only this machine can reach it', async (_, start) => {
  const { url, stop } = await start();
  expect(new URL(url).hostname).toBe('127.0.0.1');
  if (outside !== undefined) {
    const reached = connectTo(Number(new URL(url).port), outside.address);
    await expect(reached).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  }
  await stop();
});

it.each(Object.entries(starters))('%s: a port that is taken is an error', async (_, start) => {
  const first = await start();
  await expect(start({ port: Number(new URL(first.url).port) })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  await first.stop();
});

it('a body that comes compressed is read', async () => {
  const { url, stop } = await startSearch();
  const client = new Client({ node: url, compression: 'gzip' });
  const mappings = { dynamic: 'strict' as const, properties: { name: { type: 'text' as const } } };
  expect((await client.indices.create({ index: 'products', body: { mappings } })).statusCode).toBe(200);
  await client.close();
  await stop();
});
