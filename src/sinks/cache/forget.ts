/** Read your writes: a writer empties the cache keys of what it wrote, without waiting for the stream. */
import type { Entity, Fields } from '../../table/entity.ts';
import { keyText } from './keys.ts';
import type { CachePort } from './port.ts';

/** The stream will do it too, so a cache that fails here costs only time. */
export async function forget(
  port: CachePort | undefined,
  entity: Entity,
  ...items: (Fields | undefined)[]
): Promise<void> {
  const keys = items.flatMap((item) => (item === undefined ? [] : (entity.cache?.(item) ?? []).map(keyText)));
  if (keys.length > 0) await port?.invalidate([...new Set(keys)]).catch(() => []);
}
