import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

export type Request = {
  method: string;
  /** Decoded, without its leading and trailing slash. */
  path: string[];
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
};
export type Answer = { status: number; headers?: Record<string, string>; body?: string };
export type Running = { url: string; stop(): Promise<void> };

/** A server that can be gone for a while; what it holds is there when it is back. */
export type Killable = Running & { kill(): Promise<void>; revive(): Promise<void> };

/** Serves on loopback only; `stop` also closes the sockets that clients keep alive. */
export async function listen(port: number, answer: (request: Request) => Answer): Promise<Killable> {
  const server = createServer(async (incoming, response) => {
    const request = await read(incoming).catch(() => undefined);
    send(response, request === undefined ? { status: 400 } : guarded(answer, request));
  });
  const begin = (at: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(at, '127.0.0.1', resolve);
    });
  const end = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await begin(port);
  const { port: taken } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${taken}`, stop: end, kill: end, revive: () => begin(taken) };
}

function guarded(answer: (request: Request) => Answer, request: Request): Answer {
  try {
    return answer(request);
  } catch (error) {
    console.error(error);
    return { status: 500, body: String(error) };
  }
}

async function read(incoming: IncomingMessage): Promise<Request> {
  const url = new URL(incoming.url ?? '/', 'http://127.0.0.1');
  const sent = Buffer.concat(await incoming.toArray());
  const body = incoming.headers['content-encoding'] === 'gzip' ? await promisify(gunzip)(sent) : sent;
  return {
    method: incoming.method ?? 'GET',
    path: url.pathname.split('/').filter(Boolean).map(decodeURIComponent),
    query: url.searchParams,
    headers: incoming.headers,
    body: body.toString('utf8'),
  };
}

function send(response: ServerResponse, { status, headers, body = '' }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
