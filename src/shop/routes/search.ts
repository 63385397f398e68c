import type { Hono } from 'hono';
import type { ApiParts } from '../../http/api.ts';
import { Problem, problems } from '../../http/problem.ts';
import { pageSize } from '../../http/request.ts';
import { searchFor } from '../../sinks/search/query.ts';

/** `/search/products?q=tea&category=drinks`: words in the text fields, and exact values of others. */
export function searchRoutes(api: Hono, { app, connections, store }: ApiParts): void {
  api.get('/search/:index', async (context) => {
    const index = context.req.param('index');
    const entity = app.entities.find(({ search }) => search?.index === index);
    if (entity === undefined) throw new Problem(problems.notFound, 'There is no such search index.');
    if (connections.search === undefined) throw new Problem(problems.off, 'Search is not switched on here.');
    const { q = '', limit: _, ...filters } = context.req.query();
    const unknown = Object.keys(filters).find((field) => entity.search?.fields[field] === undefined);
    if (unknown !== undefined)
      throw new Problem(problems.invalid, 'Filters name fields of the search document.');
    const prefix = connections.config.SLUICE_SEARCH_PREFIX;
    const page = await searchFor(connections.search, entity, q, {
      filters,
      size: pageSize(context),
      now: store.now(),
      prefix,
    });
    return context.json({ total: page.total, items: page.hits.map(({ document }) => document) });
  });
}
