/** `sluice torture` with OpenSearch and Redis, which are killed and stand still themselves. */
import { Redis } from 'iovalkey';
import { afterAll, expect, test } from 'vitest';
import { givenServers } from '../../bin/real-servers.js';
import { sluice } from '../support/processes.ts';

const minute = 60_000;
const given: Partial<Record<string, string>> = givenServers(process.env.SLUICE_TEST_SERVERS);
const unless = given.opensearch && given.redis ? '' : ' (left out: not in SLUICE_TEST_SERVERS)';

// Others use those that were given: these here are of the same kinds, and nobody else's.
const environment = { SLUICE_SERVERS_SET: 'torture' };

async function run(script: string, args: string[], more: Record<string, string> = {}) {
  const { child, ended, output } = sluice(process.execPath, [script, ...args], { ...environment, ...more });
  let out = '';
  child.stdout.on('data', (text) => (out += text));
  const status = await ended;
  return { status, out, output: output() };
}

afterAll(async () => {
  if (unless === '') await run('bin/servers.js', ['down']);
}, minute);

test.skipIf(unless !== '')(
  `after 50 kills, and some of OpenSearch and Redis, every promise is kept${unless}`,
  { timeout: 10 * minute },
  async () => {
    const { output: told } = await run('bin/servers.js', ['opensearch', 'redis']);
    const [, search = ''] = /opensearch=(\S+?)[\s']/.exec(told) ?? expect.fail(told);
    const [, cache = ''] = /redis=(\S+?)[\s']/.exec(told) ?? expect.fail(told);
    const named = { SLUICE_SEARCH_ENDPOINT: search, SLUICE_CACHE_ENDPOINT: cache };
    const args = ['torture', '--json', '--kills', '50', '--seed', '50'];
    const { status, out, output } = await run('bin/sluice.js', args, named);
    const { kills, verdict, waiting } = JSON.parse(out || 'null') ?? expect.fail(output);
    const broken = Object.entries<string[]>(verdict.broken).filter(([, found]) => found.length > 0);
    expect({ broken, waiting, status }).toEqual({ broken: [], waiting: [], status: 0 });
    // It has done something.
    expect(kills.functions + kills.mapping + kills.redrive).toBe(50);
    const { killed, frozen } = kills.servers;
    expect(Math.min(killed.search, killed.cache, frozen.search + frozen.cache)).toBeGreaterThan(0);
    expect(verdict.changes).toBeGreaterThan(200);
    // And nothing stays behind; who has read what was not there leaves a token for seconds.
    const client = new Redis(cache);
    await expect.poll(() => client.dbsize(), { timeout: 20_000, interval: 500 }).toBe(0);
    client.disconnect();
  },
);
