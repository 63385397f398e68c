import { type Answer, type Killable, listen, type Request } from './http.ts';
import { openJournal } from './journal.ts';
import { answerOf, SearchError } from './search/error.ts';
import { changesNothing, createRoutes } from './search/routes.ts';

const MOST_BYTES = 100 * 1024 * 1024; // http.max_content_length

type Options = {
  port?: number;
  /** Keeps indices and documents over a restart. */
  file?: string | undefined;
  now?: () => number;
};
type Kept = { at: number; request: Omit<Request, 'query' | 'headers'> & { query: string } };

/** OpenSearch on loopback: indices with strict mappings, versioned bulk writes, and a named part of its queries. */
export async function startSearch({ port = 0, file, now = Date.now }: Options = {}): Promise<Killable> {
  const { answer, forgetRemoved } = createRoutes();
  const journal = openJournal<Kept>(file);
  for (const { at, request } of journal.entries)
    guarded(answer, { ...request, query: new URLSearchParams(request.query), headers: {} }, at);
  forgetRemoved();
  return listen(port, (request) => {
    if (Buffer.byteLength(request.body) > MOST_BYTES) return { status: 413 };
    const at = now();
    if (file !== undefined && !changesNothing(request)) {
      const { method, path, body } = request;
      journal.add({ at, request: { method, path, query: request.query.toString(), body } });
    }
    const { status, body } = guarded(answer, request, at);
    return {
      status,
      headers: { 'content-type': 'application/json; charset=UTF-8' },
      body: request.method === 'HEAD' ? '' : JSON.stringify(body),
    } satisfies Answer;
  });
}

function guarded(answer: ReturnType<typeof createRoutes>['answer'], request: Request, now: number) {
  try {
    return answer(request, now);
  } catch (error) {
    if (!(error instanceof SearchError)) throw error;
    return answerOf(error);
  }
}
