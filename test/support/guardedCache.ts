/** The cache's stand-in behind a door: `AUTH` first, as Redis wants it where it has a password. */
import { type AddressInfo, createServer } from 'node:net';
import { createCommands } from '../../src/local/servers/cache/commands.ts';
import { Refusal } from '../../src/local/servers/cache/refusal.ts';
import { createReader, encode } from '../../src/local/servers/cache/resp.ts';

/** `password`: the one that is taken now. */
export async function startGuardedCache(password: () => string) {
  const carryOut = createCommands(Date.now);
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => {
    const read = createReader();
    let isIn = false;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.on('data', (packet) => {
      for (const request of read(packet)) {
        const [name, ...args] = request.map(String);
        if (name?.toLowerCase() !== 'auth')
          socket.write(encode(isIn ? carryOut(request) : new Refusal('NOAUTH Authentication required.')));
        else {
          isIn = args.at(-1) === password();
          const refusal = new Refusal('WRONGPASS invalid username-password pair or user is disabled.');
          socket.write(encode(isIn ? 'OK' : refusal));
        }
      }
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    drop,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        drop();
      }),
  };
}
