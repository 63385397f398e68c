/** Stands in front of a service, so that the real client can meet one that misbehaves. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Seen = {
  method: string;
  path: string;
  /** The operation of an AWS JSON request, such as `PutEvents`. */
  operation: string;
  body: string;
};

export type Reply = { status: number; headers?: Record<string, string>; body: string };

export type Conduct =
  | undefined // it goes through
  | 'lost' // the service does it; the socket is closed instead of an answer
  | 'closed' // the socket is closed and nothing is done
  | Reply // the service never sees it
  | { altered: (reply: Reply) => Reply }; // the service does it; another answer is given

export type ServiceProxy = {
  url: string;
  seen: Seen[];
  /** How it behaves; asked for each request. Reset by `calm`. */
  conduct: (request: Seen) => Conduct | Promise<Conduct>;
  calm(): void;
  /** Nobody listens there any more. */
  down(): Promise<void>;
  up(): Promise<void>;
};

export async function proxy(service: string): Promise<ServiceProxy> {
  const server = createServer(async (incoming, response) => {
    const request = await read(incoming);
    self.seen.push(request);
    const conduct = await self.conduct(request);
    if (conduct === 'closed') return incoming.socket.destroy();
    if (typeof conduct === 'object' && 'status' in conduct) return send(response, conduct);
    const reply = await forward(service, incoming, request);
    if (conduct === 'lost') return incoming.socket.destroy();
    return send(response, conduct === undefined ? reply : conduct.altered(reply));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const self: ServiceProxy = {
    url: `http://127.0.0.1:${port}`,
    seen: [],
    conduct: () => undefined,
    calm() {
      self.conduct = () => undefined;
      self.seen.length = 0;
    },
    async down() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
    async up() {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
  };
  return self;
}

async function read(incoming: IncomingMessage): Promise<Seen> {
  const body = Buffer.concat(await incoming.toArray()).toString();
  const target = String(incoming.headers['x-amz-target'] ?? '');
  return {
    method: incoming.method ?? 'GET',
    path: incoming.url ?? '/',
    operation: target.slice(target.lastIndexOf('.') + 1),
    body,
  };
}

async function forward(
  service: string,
  { headers }: IncomingMessage,
  { method, path, body }: Seen,
): Promise<Reply> {
  const passed = ['x-amz-target', 'content-type', 'authorization', 'x-amz-date'].flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  const reply = await fetch(`${service}${path}`, {
    method,
    headers: Object.fromEntries(passed),
    ...(body !== '' && { body }),
  });
  const type = reply.headers.get('content-type');
  return {
    status: reply.status,
    ...(type !== null && { headers: { 'content-type': type } }),
    body: await reply.text(),
  };
}

function send(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** An answer in JSON. */
export function json(status: number, body: unknown): Reply {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** That conduct towards requests about one table of DynamoDB; all else goes through. */
export function towards(table: string, conduct: ServiceProxy['conduct']): ServiceProxy['conduct'] {
  return (seen) => (seen.body.includes(`"${table}"`) ? conduct(seen) : undefined);
}
