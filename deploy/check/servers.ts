/** Search and cache for the deployed functions: the servers that are named, or stand-ins on this machine. */
import { startCache } from '../../src/local/servers/cache.ts';
import { startSearch } from '../../src/local/servers/search.ts';
import { type Relay, startRelay } from './relay.ts';

export type Servers = {
  search: string;
  cache: string;
  /** As the functions reach them. */
  searchWay: Relay;
  cacheWay: Relay;
  described: string;
};

export async function startServers(environment: NodeJS.ProcessEnv): Promise<Servers> {
  const { SLUICE_SEARCH_ENDPOINT: namedSearch, SLUICE_CACHE_ENDPOINT: namedCache } = environment;
  const search = namedSearch || (await startSearch()).url;
  const cache = namedCache || (await startCache()).url;
  return {
    search,
    cache,
    searchWay: await startRelay(search),
    cacheWay: await startRelay(cache),
    described: `search: ${namedSearch || 'a stand-in'}, cache: ${namedCache || 'a stand-in'}`,
  };
}
