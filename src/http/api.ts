/** The HTTP API: the application's routes on the engine's parts, the same on Lambda and on this machine. */
import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import { readConfig } from '../config.ts';
import { type Connections, connect } from '../connections.ts';
import type { App } from '../pipeline/app.ts';
import { storeOf } from '../pipeline/stream.ts';
import type { Store } from '../table/store.ts';
import { describeProblem, Problem, problems } from './problem.ts';

export type ApiParts = { app: App; connections: Connections; store: Store };

/** Adds an application's routes. */
export type Routes = (api: Hono, parts: ApiParts) => void;

export function openApi(app: App, connections: Connections, routes: Routes): Hono {
  const api = new Hono();
  api.onError((error, context) => {
    const details = describeProblem(error);
    if (details.status === 500)
      connections.log.error('an error that nobody foresaw', { error: error.name, places: placesOf(error) });
    if (details.status === 503) context.header('Retry-After', '1');
    context.header('Content-Type', 'application/problem+json');
    return context.body(JSON.stringify(details), details.status as 500);
  });
  api.notFound(() => {
    throw new Problem(problems.notFound, 'There is nothing at this address.');
  });
  routes(api, { app, connections, store: storeOf(app, connections) });
  return api;
}

/** The API's Lambda, behind an HTTP API: connected at the first request, then kept. */
export function apiHandler(app: App, routes: Routes): ReturnType<typeof handle> {
  let handler: ReturnType<typeof handle> | undefined;
  return async function handleRequest(event, context) {
    handler ??= handle(openApi(app, connect(readConfig(process.env)), routes));
    return handler(event, context);
  };
}

/** Where it failed, without its message: that can quote what an item holds. */
function placesOf({ stack = '' }: Error): string[] {
  return stack.match(/at .*/g)?.slice(0, 5) ?? [];
}
