import type { Request } from '../http.ts';
import { createIndices } from './indices.ts';
import { applyBulk, getDocument, getMany } from './on-documents.ts';
import {
  changeAliases,
  createIndex,
  describeHealth,
  describeIndices,
  describeServer,
  putMapping,
  refresh,
  removeIndices,
} from './on-indices.ts';
import { count, searchIndices } from './on-search.ts';
import type { Handle, Names, Reply } from './reply.ts';

const routes: [methods: string, path: string, handle: Handle][] = [
  ['GET HEAD', '', describeServer],
  ['GET', '_cluster/health', describeHealth],
  ['PUT', '{index}', createIndex],
  ['GET HEAD', '{index}', describeIndices],
  ['DELETE', '{index}', removeIndices],
  ['PUT POST', '{index}/_mapping', putMapping],
  ['POST', '_aliases', changeAliases],
  ['POST GET', '_refresh', refresh],
  ['POST GET', '{index}/_refresh', refresh],
  ['POST PUT', '_bulk', applyBulk],
  ['POST PUT', '{index}/_bulk', applyBulk],
  ['GET HEAD', '{index}/_doc/{id}', getDocument],
  ['POST GET', '_mget', getMany],
  ['POST GET', '{index}/_mget', getMany],
  ['POST GET', '{index}/_count', count],
  ['POST GET', '{index}/_search', searchIndices],
];

/** Whether it only asks. */
export function changesNothing({ method, path }: Request): boolean {
  if (method === 'GET' || method === 'HEAD') return true;
  return ['_refresh', '_mget', '_count', '_search'].includes(path.at(-1) ?? '');
}

export function createRoutes() {
  const indices = createIndices();
  const answer = (request: Request, now: number): Reply => {
    for (const [methods, path, handle] of routes) {
      const names = methods.split(' ').includes(request.method) ? namesIn(path, request.path) : undefined;
      if (names !== undefined) return handle(indices, request, names, now);
    }
    const error = `no handler found for uri [/${request.path.join('/')}] and method [${request.method}]`;
    return { status: 400, body: { error } };
  };
  return { answer, forgetRemoved: indices.forgetRemoved };
}

/** What an address holds in the places of {index} and {id}, if it has this form. */
function namesIn(pattern: string, path: string[]): Names | undefined {
  const parts = pattern.split('/').filter(Boolean);
  if (parts.length !== path.length) return undefined;
  const names = { index: '', id: '' };
  for (const [at, part] of parts.entries()) {
    const given = path[at] ?? '';
    if (part === '{index}' && !given.startsWith('_')) names.index = given;
    else if (part === '{id}') names.id = given;
    else if (part !== given) return undefined;
  }
  return names;
}
