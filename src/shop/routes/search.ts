import type { Hono } from 'hono';
import type { ApiParts } from '../../http/api.ts';
import { Problem, problems } from '../../http/problem.ts';
import { pageSize } from '../../http/request.ts';
import { searchFor } from '../../sinks/search/query.ts';
import type { Entity } from '../../table/entity.ts';

/** `/search/products?q=tea&category=drinks`: words in the text fields, and exact values of others. */
export function searchRoutes(api: Hono, { app, connections, store }: ApiParts): void {
  api.get('/search/:index', async (context) => {
    const index = context.req.param('index');
    const entity = app.entities.find(({ search }) => search?.index === index);
    if (entity === undefined) throw new Problem(problems.notFound, 'There is no such search index.');
    if (connections.search === undefined) throw new Problem(problems.off, 'Search is not switched on here.');
    const { q = '', limit: _, ...given } = context.req.query();
    const filters = Object.fromEntries(
      Object.entries(given).map(([field, text]) => [field, filterValue(entity, field, text)]),
    );
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

/** A filter's value, in the form that its field has. */
function filterValue({ search }: Entity, field: string, text: string): string | number | boolean {
  const type = search !== undefined && Object.hasOwn(search.fields, field) ? search.fields[field] : undefined;
  if (type === undefined)
    throw new Problem(
      problems.invalid,
      `A filter names a field of the search document: ${Object.keys(search?.fields ?? {}).join(', ')}.`,
    );
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if ((type === 'double' || type === 'long') && text.trim() !== '' && Number.isFinite(Number(text)))
    return Number(text);
  if (type === 'keyword' || type === 'text') return text;
  if (type === 'date' && !Number.isNaN(Date.parse(text))) return text;
  throw new Problem(problems.invalid, `The filter ${field} needs a ${type}.`);
}
