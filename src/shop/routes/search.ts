import type { Hono } from 'hono';
import type { ApiParts } from '../../http/api.ts';
import { Problem, problems } from '../../http/problem.ts';
import { pageSize } from '../../http/request.ts';
import { searching } from '../../sinks/search/query.ts';
import type { Entity, SearchFieldType } from '../../table/entity.ts';

/** `/search/products?q=tea&category=drinks`: words in the text fields, and exact values of others. */
export function searchRoutes(api: Hono, { app, connections, store }: ApiParts): void {
  api.get('/search/:index', async (context) => {
    const index = context.req.param('index');
    const entity = app.entities.find(({ search }) => search?.index === index);
    if (entity === undefined) throw new Problem(problems.notFound, 'There is no such search index.');
    const { search: client, config } = connections;
    if (client === undefined) throw new Problem(problems.off, 'Search is not switched on here.');
    const { q = '', limit: _, cursor, ...given } = context.req.query();
    const filters = Object.fromEntries(
      Object.entries(given).map(([field, text]) => [field, filterValue(entity, field, text)]),
    );
    const search = searching({ client, prefix: config.SLUICE_SEARCH_PREFIX, now: store.now });
    const { total, hits, next } = await search(entity, q, filters, { size: pageSize(context), cursor });
    return context.json({
      total,
      items: hits.map(({ document }) => document),
      highlights: hits.map(({ highlights }) => highlights),
      ...(next !== undefined && { next }),
    });
  });
}

/** A filter's value, in the form that its field has; whether it is one the search says. */
function filterValue({ search }: Entity, field: string, text: string) {
  const type = search !== undefined && Object.hasOwn(search.fields, field) ? search.fields[field] : undefined;
  if (type === undefined)
    throw new Problem(
      problems.invalid,
      `A filter names a field of the search document: ${Object.keys(search?.fields ?? {}).join(', ')}.`,
    );
  return forms[type]?.(text) ?? text;
}

const number = (text: string) => (text.trim() === '' ? Number.NaN : Number(text));

/** A date and a keyword are texts here as well. */
const forms: Partial<Record<SearchFieldType, (text: string) => unknown>> = {
  double: number,
  long: number,
  boolean: (text) => ({ true: true, false: false })[text],
};
