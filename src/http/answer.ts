/** Answers: an item with its version as ETag, what came of a creation, a page of items. */
import type { Context } from 'hono';
import { plainJson } from '../table/json.ts';
import type { Found } from '../table/stored.ts';
import type { Created } from '../table/write/create.ts';
import { Problem, problems } from './problem.ts';
import { entityTag } from './request.ts';

/** The item, or what to do where there is none. */
export function answerItem<Item>(context: Context, found: Found<Item> | undefined): Response {
  if (found === undefined) throw new Problem(problems.notFound, 'There is no such item, or it was removed.');
  context.header('ETag', entityTag(found.version));
  return context.json(plainJson(found.item) as object);
}

/** 201 for what was made now, 200 for what an equal request made before. */
export function answerCreated<Item>(
  context: Context,
  created: Created<Item>,
  location: (item: Item) => string,
): Response {
  if (created.outcome === 'removed')
    throw new Problem(problems.removed, 'An equal request made it, and it was removed since.');
  context.header('ETag', entityTag(created.version));
  context.header('Location', location(created.item));
  return context.json(plainJson(created.item) as object, created.outcome === 'created' ? 201 : 200);
}

export function answerList<Item>(context: Context, found: readonly Found<Item>[], next?: string): Response {
  const items = found.map(({ item, version }) => ({
    ...(plainJson(item) as object),
    etag: entityTag(version),
  }));
  return context.json({ items, ...(next !== undefined && { next }) });
}
