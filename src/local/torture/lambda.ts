/** What invokes functions for the mappings, as Lambda's own front does: it outlives both. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Moment } from './gate.ts';
import type { FunctionName } from './messages.ts';

type Parts = {
  invoke(name: FunctionName, event: unknown): Promise<unknown>;
  /** Whether the mapping was killed at this very point. */
  reached(label: string, moment: Moment): boolean;
};

/** `POST /<function>` with an event; answers with what the function did, or 500 with its error. */
export async function startLambda({ invoke, reached }: Parts) {
  const server = createServer(async (request, response) => {
    const name = (request.url ?? '').slice(1) as FunctionName;
    if (reached(`invoke ${name}`, 'before')) return request.socket.destroy();
    try {
      const answer = await invoke(name, JSON.parse(await text(request)));
      // It is done, and the checkpoint is not written yet.
      if (reached(`invoke ${name}`, 'after')) return request.socket.destroy();
      response.end(JSON.stringify(answer ?? null));
    } catch (error) {
      response.writeHead(500).end((error as Error).message);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
