import { type Answer, listen, type Request, type Running } from './http.ts';
import { answerOf, SearchError } from './search/error.ts';
import { createRoutes } from './search/routes.ts';

type Options = { port?: number; now?: () => number };

/** OpenSearch on loopback: indices with strict mappings, versioned bulk writes, and a named part of its queries. */
export async function startSearch({ port = 0, now = Date.now }: Options = {}): Promise<Running> {
  const answer = createRoutes(now);
  return listen(port, (request) => {
    const { status, body } = guarded(answer, request);
    return {
      status,
      headers: { 'content-type': 'application/json; charset=UTF-8' },
      body: request.method === 'HEAD' ? '' : JSON.stringify(body),
    } satisfies Answer;
  });
}

function guarded(answer: ReturnType<typeof createRoutes>, request: Request) {
  try {
    return answer(request);
  } catch (error) {
    if (!(error instanceof SearchError)) throw error;
    return answerOf(error);
  }
}
