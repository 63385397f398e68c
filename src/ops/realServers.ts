/** The real servers that `sluice torture` is given: those that `npm run servers` has started are killed as well. */
import { attackable } from '../../servers/attack.ts';
import { readConfig } from '../config.ts';
import { withoutPassword } from '../local/address.ts';
import type { RealServer } from '../local/torture/servers.ts';

/** Of the servers that are named, those that may be killed; says of each what becomes of it. */
export function realServers(environment: NodeJS.ProcessEnv, mention: (line: string) => void): RealServer[] {
  mention('Services that are not named are stand-ins: they fail and hang, and are not killed.');
  const { SLUICE_SEARCH_ENDPOINT: search, SLUICE_CACHE_ENDPOINT: cache } = readConfig(environment);
  return (['search', 'cache'] as const).flatMap((name) => {
    const endpoint = { search, cache }[name];
    if (endpoint === undefined || endpoint === 'memory:') return [];
    const server = attackable(endpoint, environment);
    const what =
      server === undefined ? 'not killed: `npm run servers` has not started it' : 'killed and frozen as well';
    mention(`${name}: ${withoutPassword(endpoint)}, which is ${what}`);
    return server === undefined ? [] : [{ name, ...server }];
  });
}
