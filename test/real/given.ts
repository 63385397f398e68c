/** The real servers that the tests were given; what is noted here, `npm test` tells at its end. */
import { beforeAll, beforeEach, describe } from 'vitest';
import { givenServers, realServers } from '../../bin/real-servers.js';
import { versionOf } from './versions.ts';

export type RealServer = keyof typeof realServers;

const given: Partial<Record<string, string>> = givenServers(process.env.SLUICE_TEST_SERVERS);

/** Tests that need it, left out where none is given. */
export function withReal(name: RealServer, tests: (endpoint: string) => void): void {
  const endpoint = given[name];
  const unless = endpoint === undefined ? ' (left out: not in SLUICE_TEST_SERVERS)' : '';
  describe.skipIf(endpoint === undefined)(`with ${realServers[name]}${unless}`, () => {
    let version: string | undefined;
    beforeEach(({ task }) => {
      Object.assign(task.meta, { realServer: { name, version } });
    });
    beforeAll(async () => {
      version = await versionOf[name]?.(endpoint ?? '');
    });
    tests(endpoint ?? '');
  });
}
