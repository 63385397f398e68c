/** Where things lie: downloads once for all checkouts; what runs, its data and its logs for each. */
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

export type Places = { cache: string; run: string };

/** Of one checkout there can be several sets at once, each named by SLUICE_SERVERS_SET. */
export function placesIn({ XDG_CACHE_HOME, SLUICE_SERVERS_SET = '' }: NodeJS.ProcessEnv): Places {
  // Not in root's home, which is closed: OpenSearch runs as somebody else.
  const own = process.getuid?.() === 0 ? '/var/cache' : join(homedir(), '.cache');
  const cache = join(XDG_CACHE_HOME || own, 'sluice/servers');
  const checkout = createHash('sha256').update(root).digest('hex').slice(0, 8);
  if (!/^[a-z0-9]*$/.test(SLUICE_SERVERS_SET))
    throw new Error(`SLUICE_SERVERS_SET is of lower-case letters and digits, not "${SLUICE_SERVERS_SET}".`);
  const run = ['run', checkout, SLUICE_SERVERS_SET].filter(Boolean).join('-');
  return { cache, run: join(cache, run) };
}
