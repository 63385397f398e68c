/** A proxy in front of DynamoDB that loses replies, loses requests or answers by itself, for the calls one chooses. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Store } from '../../src/table/store.ts';
import { account, type LocalShop } from '../support/shop.ts';

/** What to do with one call: a lost reply was carried out, a lost request was not, an answer is given instead. */
export type Fault = (
  | { lost: 'reply' | 'request' }
  | { status: number; type: string; reasons?: readonly string[]; carriedOut?: true }
) & {
  /** What others do before the caller learns of it. */
  meanwhile?: () => Promise<unknown>;
};

export type FaultyProxy = Awaited<ReturnType<typeof startProxy>>;

export async function startProxy({ endpoint, store }: LocalShop) {
  const faults = new Map<string, Fault[]>();
  const calls = new Map<string, number>();
  const bodies = new Map<string, unknown>();
  const server = createServer((request, response) => {
    const operation = String(request.headers['x-amz-target']).replace(/^.*\./, '');
    calls.set(operation, (calls.get(operation) ?? 0) + 1);
    pass(request, response, endpoint, faults.get(operation)?.shift())
      .then((body) => bodies.set(operation, JSON.parse(String(body))))
      .catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const dynamodb = new DynamoDBClient({ endpoint: `http://127.0.0.1:${port}`, ...account });
  return {
    /** The same table, seen through the proxy. */
    store: { ...store, dynamodb } satisfies Store,
    /** The next calls of this operation meet these faults, one each. */
    fail(operation: string, ...next: Fault[]): void {
      calls.delete(operation);
      faults.set(operation, next);
    },
    /** How often the operation was called since its faults were set. */
    count: (operation: string) => calls.get(operation) ?? 0,
    /** What its last call asked for. */
    asked: (operation: string) => bodies.get(operation),
    async stop() {
      dynamodb.destroy();
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

async function pass(request: IncomingMessage, response: ServerResponse, endpoint: string, fault?: Fault) {
  const body = await buffer(request);
  const answer = await answerOf(request, body, endpoint, fault);
  await fault?.meanwhile?.();
  if (answer === undefined) response.destroy();
  else {
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(answer.body);
  }
  return body;
}

async function answerOf(request: IncomingMessage, body: Buffer, endpoint: string, fault?: Fault) {
  if (fault === undefined) return forwarded(request, body, endpoint);
  const carriedOut = 'status' in fault ? fault.carriedOut : fault.lost === 'reply';
  if (carriedOut) await forwarded(request, body, endpoint);
  return 'status' in fault ? { status: fault.status, body: JSON.stringify(refusal(fault)) } : undefined;
}

async function forwarded({ headers }: IncomingMessage, body: Buffer, endpoint: string) {
  const kept = ['x-amz-target', 'content-type', 'authorization', 'x-amz-date'].map((name) => [
    name,
    String(headers[name]),
  ]);
  const reply = await fetch(endpoint, { method: 'POST', headers: Object.fromEntries(kept), body });
  return { status: reply.status, body: await reply.text() };
}

function refusal({ type, reasons }: { type: string; reasons?: readonly string[] }) {
  return {
    __type: `com.amazonaws.dynamodb.v20120810#${type}`,
    message: 'said the proxy',
    ...(reasons && { CancellationReasons: reasons.map((Code) => ({ Code })) }),
  };
}
