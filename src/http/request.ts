/** What a request says: its body, the version it has seen, who asks, and which request it is. */
import { randomUUID } from 'node:crypto';
import type { Context } from 'hono';
import type * as z from 'zod/mini';
import type { By } from '../table/store.ts';
import { Problem, problems } from './problem.ts';

/** The JSON body, if it fits; what does not fit is named by its place, and never quoted. */
export async function bodyOf<Schema extends z.ZodMiniType>(
  context: Context,
  schema: Schema,
): Promise<z.output<Schema>> {
  const body: unknown = await context.req.json().catch(() => {
    throw new Problem(problems.invalid, 'The body is no JSON.');
  });
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new Problem(problems.invalid, issues.join('; '));
}

/** The version in `If-Match`, as its ETag gave it. */
export function versionSeen(context: Context): number {
  const header = context.req.header('If-Match');
  if (header === undefined)
    throw new Problem(problems.preconditionRequired, 'An update names the version it has seen.');
  const version = Number(/^"(\d{1,16})"$/.exec(header)?.[1]);
  if (!Number.isSafeInteger(version))
    throw new Problem(problems.invalid, 'If-Match must be an ETag such as "1795211569970001".');
  return version;
}

export function entityTag(version: number): string {
  return `"${version}"`;
}

/** Who asks, under a key of the caller's own choice: repeats of one request carry one key. */
export function byKey(context: Context): By {
  const request = context.req.header('Idempotency-Key');
  if (request === undefined || request === '')
    throw new Problem(problems.keyRequired, 'What is created is created once for each key.');
  if (!/^[\x21-\x7e]{1,200}$/.test(request)) {
    throw new Problem(problems.invalid, 'An Idempotency-Key is 1 to 200 characters of ASCII without spaces.');
  }
  return { request, actor: actorOf(context) };
}

/** Who asks, in a request that its version or its kind makes safe to repeat. */
export function byAnyone(context: Context): By {
  return context.req.header('Idempotency-Key') === undefined
    ? { request: randomUUID(), actor: actorOf(context) }
    : byKey(context);
}

/** On Lambda the caller's IAM identity; locally there is none. */
function actorOf(context: Context): string {
  const { event } = Object(context.env) as {
    event?: { requestContext?: { authorizer?: { iam?: { userArn?: string } } } };
  };
  return event?.requestContext?.authorizer?.iam?.userArn ?? 'api';
}

/** A page's size: 1 to 100, 20 unless asked otherwise. */
export function pageSize(context: Context): number {
  const text = context.req.query('limit') ?? '20';
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > 100) throw new Problem(problems.invalid, 'limit must be 1 to 100.');
  return limit;
}
