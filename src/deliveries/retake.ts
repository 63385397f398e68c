/** Takes up batches that lie in the on-failure destination. Acts from there are late: others have passed them. */
import type { Connections } from '../connections.ts';
import type { App } from '../pipeline/app.ts';
import { openStream, type Reader } from '../pipeline/stream.ts';
import { whatWasThrown } from '../pipeline/thrown.ts';
import type { Failures } from './failures.ts';

/** `left`: those that still fail, that nobody can read, or that there was no time for. */
export type Retaken = { taken: number; left: number };

/** Where there are more, it matters to nobody how many; to list them takes time too. */
const mostCounted = 10_000;

export async function retakeFailures(
  app: App,
  connections: Connections,
  failures: Failures,
  { signal }: { signal: AbortSignal },
): Promise<Retaken> {
  const retaken: Retaken = { taken: 0, left: 0 };
  const handlers = new Map(
    (['project', 'notify'] as const).map((reader) => [
      reader,
      openStream(app, reader, connections, { late: true }),
    ]),
  );
  for await (const name of failures.list()) {
    if (signal.aborted) {
      retaken.left += 1;
      if (retaken.left >= mostCounted) break;
      continue;
    }
    try {
      const { event, readers } = readFailure(await failures.read(name));
      const answers = await Promise.all(readers.map((reader) => handlers.get(reader)?.(event as never)));
      if (answers.some((answer) => answer === undefined || answer.batchItemFailures.length > 0))
        retaken.left += 1;
      else {
        await failures.remove(name);
        retaken.taken += 1;
      }
    } catch (error) {
      retaken.left += 1;
      connections.log.warn('a failed batch could not be taken up', {
        event: name,
        reason: whatWasThrown(error),
      });
    }
  }
  return retaken;
}

/** The batch, and the function that failed it. */
function readFailure(text: string): { event: unknown; readers: Reader[] } {
  const { payload, requestContext } = JSON.parse(text);
  if (payload === undefined) throw new Error('it holds no payload');
  const event = typeof payload === 'string' ? JSON.parse(payload) : payload;
  const [, failed] = /(project|notify|mail)(?::[^:]*)?$/.exec(String(requestContext?.functionArn)) ?? [];
  if (failed === undefined) throw new Error('it is of no function that redrive could stand in for');
  // What the sender failed lies in the outbox still, and its schedule sends it.
  return { event, readers: failed === 'mail' ? [] : [failed as Reader] };
}
