/** Gates stand between a process and a service: they see each request, and are where it goes wrong. */
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import type { Conduct, Reply, ServiceName } from './faults.ts';
import { labelOf, type Tables } from './label.ts';

/** Before a request is carried out, and after it, before anybody knows. */
export type Moment = 'before' | 'after';

export type Watcher = {
  /** Told of each request that may be carried out, for all that its sender gets to know; with its body. */
  came?(service: ServiceName, body: Buffer): void;
  conductOf(service: ServiceName, label: string): Conduct;
  /** Says whether whoever asks was killed at this very point. */
  reached(label: string, moment: Moment): boolean;
  /** Puts the clock of all processes forward, past every lease. */
  passLeases(): void;
};

export type Gate = {
  url: string;
  /** Whether nothing is on its way through it. */
  isIdle(): boolean;
  stop(): Promise<void>;
};

export async function httpGate(
  service: ServiceName,
  target: string,
  tables: Tables,
  watcher: Watcher,
): Promise<Gate> {
  const { conductOf, reached } = watcher;
  const hold = holder(watcher);
  const agent = new Agent({ keepAlive: true });
  const { hostname, port } = new URL(target);

  async function pass(incoming: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const body = await buffer(incoming);
    const cut = () => incoming.socket.destroy();
    const label = labelOf(service, incoming, body, tables);
    const conduct = label === undefined ? ({ kind: 'right' } as const) : conductOf(service, label);
    const isRefused = conduct.kind === 'refused' && conduct.reply.status < 500;
    if (!isRefused) watcher.came?.(service, body);
    if (label !== undefined && reached(label, 'before')) return cut();
    if (conduct.kind === 'closed') return cut();
    if (conduct.kind === 'refused') return answer(response, conduct.reply);
    if (conduct.kind === 'held') await hold(conduct);
    const reply = await forward(incoming, body);
    if (conduct.kind === 'slow') await wait(conduct.milliseconds);
    if (label !== undefined && reached(label, 'after')) return cut();
    return conduct.kind === 'lost' ? cut() : answer(response, reply);
  }

  function forward({ method, url, headers }: IncomingMessage, body: Buffer): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const { connection, 'transfer-encoding': encoding, ...kept } = headers;
    const sent = { ...kept, 'content-length': body.byteLength };
    const outgoing = request({ agent, hostname, port, method, path: url, headers: sent }, async (found) => {
      const type = found.headers['content-type'];
      const text = await buffer(found).catch(() => Buffer.alloc(0));
      resolve({
        status: found.statusCode ?? 500,
        headers: type === undefined ? {} : { 'content-type': type },
        body: text.toString(),
      });
    });
    outgoing.on('error', reject).end(body);
    return promise;
  }

  let underWay = 0;
  const server = createServer((incoming, response) => {
    underWay += 1;
    pass(incoming, response)
      .catch(() => incoming.socket.destroy())
      .finally(() => (underWay -= 1));
  });
  await listening(server);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    isIdle: () => underWay === 0,
    async stop() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

/** One that is late beyond all leases comes when what it was for has been tried again, and done. */
function holder({ passLeases }: Watcher) {
  return async function hold({ milliseconds, pastLeases }: Conduct & { kind: 'held' }): Promise<void> {
    await wait(milliseconds * 0.6);
    if (pastLeases) passLeases();
    await wait(milliseconds * 0.4);
    if (pastLeases) passLeases();
  };
}

function answer(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** For the cache: what a client sends is passed on as it comes, one packet after the other. */
export async function tcpGate(service: ServiceName, target: string, watcher: Watcher): Promise<Gate> {
  const { conductOf, reached } = watcher;
  const hold = holder(watcher);
  const { hostname, port, protocol } = new URL(target);
  const sockets = new Set<Socket>();
  let heldBack = 0;
  const server = createTcpServer({ noDelay: true }, (client) => {
    const upstream = connect({ host: hostname, port: Number(port), noDelay: true });
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        sockets.delete(socket);
        // What is held back still arrives, though nobody waits for it.
        if (socket !== client || !isHeld) cut();
      });
    }
    let isHeld = false;
    let loses = false;
    let slowness = 0;
    client.on('data', async (packet) => {
      const conduct = conductOf(service, service);
      if (reached(service, 'before') || conduct.kind === 'closed') return void cut();
      client.pause();
      heldBack += 1;
      isHeld = true;
      if (conduct.kind === 'held') await hold(conduct);
      isHeld = false;
      heldBack -= 1;
      if (client.destroyed) return upstream.end(packet);
      loses ||= conduct.kind === 'lost';
      if (conduct.kind === 'slow') slowness = conduct.milliseconds;
      upstream.write(packet);
      client.resume();
    });
    upstream.on('data', async (packet) => {
      if (reached(service, 'after') || loses) return cut();
      upstream.pause();
      if (slowness > 0) await wait(slowness);
      slowness = 0;
      client.write(packet);
      upstream.resume();
    });
  });
  await listening(server);
  return {
    url: `${protocol}//127.0.0.1:${(server.address() as AddressInfo).port}`,
    isIdle: () => heldBack === 0,
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function listening(server: { listen(port: number, host: string, done: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}
