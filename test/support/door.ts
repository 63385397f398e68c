/**
 * A door of its own into a DynamoDB Local: all who come through it share tables that nobody else sees, since the
 * server keeps a database for each access key and region, and asks for no secret.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export async function openDoor(endpoint: string): Promise<{ url: string; stop(): Promise<void> }> {
  const key = `door${randomBytes(8).toString('hex')}`; // letters and digits only
  const agent = new Agent({ keepAlive: true });
  const door = createServer((asked, answer) => {
    const authorization = String(asked.headers.authorization).replace(
      /Credential=[^/]*\/(\d+)\/[^/]*/,
      `Credential=${key}/$1/eu-central-1`,
    );
    const { method, headers } = asked;
    const passed = request(endpoint, { method, headers: { ...headers, authorization }, agent }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(door, 'listening');
  return {
    url: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
    async stop() {
      door.closeAllConnections();
      await once(door.close(), 'close');
      agent.destroy();
    },
  };
}
