/** A way to a server that can be cut: the functions reach search and cache by one, whichever server is behind. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Relay = { url: string; cut(): Promise<void>; mend(): Promise<void> };

export async function startRelay(target: string): Promise<Relay> {
  const { protocol, hostname, port, pathname } = new URL(target);
  if (!['http:', 'redis:'].includes(protocol))
    throw new Error(`The check reaches a server by http:// or redis:// only, not by ${protocol}//.`);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port || (protocol === 'http:' ? 80 : 6379)), hostname.replace(/^\[|\]$/g, ''));
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {}); // one side went: its close takes the other along
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  const begin = async (at: number) => {
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const taken = await begin(0);
  return {
    url: `${protocol}//127.0.0.1:${taken}${pathname === '/' ? '' : pathname}`,
    async cut() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
    mend: async () => void (await begin(taken)),
  };
}
