import type { Request } from '../http.ts';
import { SearchError } from './error.ts';
import type { Indices } from './indices.ts';
import { type JsonObject, objectOf } from './json.ts';

export type Reply = { status: number; body: object };
/** What an address may name; empty where it does not. */
export type Names = { index: string; id: string };
export type Handle = (indices: Indices, request: Request, names: Names, now: number) => Reply;

export const ok = (body: object): Reply => ({ status: 200, body });

export function readBody(request: Request): JsonObject {
  if (request.body === '') return {};
  try {
    return objectOf(JSON.parse(request.body), 'body');
  } catch (error) {
    if (error instanceof SearchError) throw error;
    throw new SearchError(
      400,
      'json_parse_exception',
      error instanceof Error ? error.message : String(error),
    );
  }
}
