/** Where things lie: downloads once for all checkouts; what runs, its data and its logs for each. */
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

export type Places = { cache: string; run: string };

export function placesIn({ XDG_CACHE_HOME }: NodeJS.ProcessEnv): Places {
  // Not in root's home, which is closed: OpenSearch runs as somebody else.
  const own = process.getuid?.() === 0 ? '/var/cache' : join(homedir(), '.cache');
  const cache = join(XDG_CACHE_HOME || own, 'sluice/servers');
  const checkout = createHash('sha256').update(root).digest('hex').slice(0, 8);
  return { cache, run: join(cache, `run-${checkout}`) };
}
