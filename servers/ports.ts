import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** So many free ports, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(servers.map((server) => listening(server, 0)));
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Throws where somebody listens already. */
export async function claim(port: number): Promise<void> {
  const server = createServer();
  await listening(server, port).catch((error: Error) => {
    throw new Error(`port ${port} cannot be had: ${error.message}`);
  });
  await once(server.close(), 'close');
}

async function listening(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}
