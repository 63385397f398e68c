import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createCommands } from './cache/commands.ts';
import { Refusal } from './cache/refusal.ts';
import { createReader, encode, type Reply } from './cache/resp.ts';
import type { Running } from './http.ts';

type Options = { port?: number; now?: () => number };
type CarryOut = ReturnType<typeof createCommands>;

/** Redis on loopback, as much of it as the cache's client asks for; what it holds ends with it. */
export async function startCache({ port = 0, now = Date.now }: Options = {}): Promise<Running> {
  const carryOut = createCommands(now);
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, carryOut);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function serve(socket: Socket, carryOut: CarryOut): void {
  const read = createReader();
  const take = (packet: Buffer) => {
    const { replies, ends } = answer(read(packet), carryOut);
    if (replies.length > 0) socket.write(Buffer.concat(replies.map(encode)));
    // Whatever else comes is not looked at.
    if (ends) socket.off('data', take).resume().end();
  };
  socket.on('data', take);
  socket.on('error', () => {}); // a client that was killed; the socket closes by itself
}

/** `ends`: after a goodbye, and after what is no command at all. */
function answer(requests: Iterable<[Buffer, ...Buffer[]]>, carryOut: CarryOut) {
  const replies: Reply[] = [];
  try {
    for (const request of requests) {
      replies.push(carryOut(request));
      if (request[0].toString().toLowerCase() === 'quit') return { replies, ends: true };
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    replies.push(error);
    return { replies, ends: true };
  }
  return { replies, ends: false };
}
