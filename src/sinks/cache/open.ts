import type { Secret } from '../../secret.ts';
import { memoryCache } from './memory.ts';
import type { CachePort } from './port.ts';
import { redisCache } from './redis.ts';

const inMemory = new Map<string, CachePort>();

/** The cache at an endpoint. `memory:` is one and the same within a process, so that readers and sinks share it. */
export function openCache(endpoint: string, prefix: string, secret?: Secret): CachePort {
  if (!endpoint.startsWith('memory:')) return redisCache(endpoint, prefix, secret);
  const known = inMemory.get(endpoint) ?? memoryCache();
  inMemory.set(endpoint, known);
  return known;
}
