/** The API on this machine: the same routes as on Lambda, on loopback only, and a search box at its root. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ServerType, serve } from '@hono/node-server';
import { Hono } from 'hono';
import { describeProblem, Problem, problems } from '../http/problem.ts';
import type { App } from '../pipeline/app.ts';
import { searchPage } from './page.ts';

export type LocalApi = { url: string; stop(): Promise<void> };

const anyPort = 0;

export async function startApi(app: App, api: Hono, port = anyPort): Promise<LocalApi> {
  const guarded = new Hono();
  let url = '';
  guarded.use(async (context, next) => {
    // A page of the internet may make a browser call loopback under its own name (DNS rebinding): it is refused.
    const host = context.req.header('Host') ?? '';
    if (host !== new URL(url).host && host !== new URL(url).host.replace('127.0.0.1', 'localhost')) {
      const details = describeProblem(
        new Problem(problems.foreignHost, 'This server answers to its own address only.'),
      );
      return context.body(JSON.stringify(details), 403, { 'Content-Type': 'application/problem+json' });
    }
    await next();
  });
  guarded.get('/', searchPage(app, api));
  guarded.all('*', (context) => api.fetch(context.req.raw));
  const server = serve({ fetch: guarded.fetch, hostname: '127.0.0.1', port });
  await listening(server, port);
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}

async function listening(server: ServerType, port: number): Promise<void> {
  try {
    await once(server, 'listening'); // rejects where an error comes first
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new Error(`The port ${port} is in use. Choose another with --port; 0 takes any that is free.`);
  }
}
