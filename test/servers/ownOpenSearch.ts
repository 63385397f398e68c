/** An OpenSearch of its own for a test file, to be killed and frozen, where `npm run servers` has brought one. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { findJava } from '../../servers/java.ts';
import { openSearchHome, openSearchIn, otherThanRoot } from '../../servers/opensearch.ts';
import { placesIn } from '../../servers/places.ts';
import { freePorts } from '../../servers/ports.ts';
import type { Command } from '../../servers/server.ts';
import { startWatched, type Watched } from '../support/watched.ts';

const { cache } = placesIn(process.env);
const home = openSearchHome(cache);

export const hasOpenSearch = existsSync(home);

/** What stands before the name of a test that was left out. */
export const unlessOpenSearch = hasOpenSearch
  ? ''
  : ' (left out: no OpenSearch here; npm run servers brings it)';

export type OwnOpenSearch = Awaited<ReturnType<typeof startOwnOpenSearch>>;

export async function startOwnOpenSearch() {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-opensearch-'));
  const ports = await freePorts(2);
  const url = `http://127.0.0.1:${ports[0]}`;
  const classes = ['-XX:+AutoCreateSharedArchive', `-XX:SharedArchiveFile=${home}-tests.jsa`];
  // It was brought together with a Java, where the machine had none.
  const java = await findJava({ cache, say: () => {} });
  const somebody = await otherThanRoot();
  const command = openSearchIn(folder, { home, java, ports, somebody, classes });
  let server = await run(command, url);
  return {
    url,
    freeze: () => void process.kill(server.pid, 'SIGSTOP'),
    thaw: () => void process.kill(server.pid, 'SIGCONT'),
    /** It is gone at once, in the midst of whatever it does. */
    kill: () => server.end('KILL'),
    start: async () => {
      server = await run(command, url);
    },
    restart: async () => {
      await server.end('TERM');
      server = await run(command, url);
    },
    async stop() {
      await server.end('KILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function run(command: Command, url: string): Promise<Watched> {
  const server = await startWatched(command, (said) => said.includes('\n'));
  for (const end = Date.now() + 120_000; Date.now() < end && server.isUp(); await wait(200)) {
    const answer = await fetch(`${url}/_cluster/health?wait_for_status=yellow&timeout=2s`).catch(
      () => undefined,
    );
    if (answer?.ok) return server;
  }
  throw new Error('OpenSearch did not start.');
}
