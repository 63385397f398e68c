/** OpenSearch, the plain distribution: no security plugin, so no TLS, users or signatures. */
import { createHash } from 'node:crypto';
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { download, reporter } from './download.ts';
import { made } from './made.ts';
import { mavenRepository } from './maven.ts';
import { run, tried } from './run.ts';
import { answers, type Command, type Server, type Source } from './server.ts';
import { unzip } from './unzip.ts';

const version = '3.7.0';
const name = `opensearch-${version}`;
const path = `org/opensearch/distribution/integ-test-zip/opensearch/${version}/${name}.zip`;
const sha256 = 'c5c8eb3828a2aead77e9d3bb9d280f54c4de190b0b67f0e412c38663627f1b06';
const bytes = 159_805_107;

export const opensearch: Server = {
  title: `OpenSearch ${version}`,
  ports: 2,
  endpoint: ([port]) => `http://127.0.0.1:${port}`,
  async prepare(tools) {
    const [java, home, somebody] = await Promise.all([tools.java(), distribution(tools), otherThanRoot()]);
    // An archive of loaded classes halves the start; it holds for the very Java and folder it was written with.
    const about = `${home}\n${java}\n${await run(java, ['-version'])}`;
    const archive = `${name}-${createHash('sha256').update(about).digest('hex').slice(0, 12)}.jsa`;
    const archived = join(tools.cache, archive);
    return ({ ports, folder }) => {
      const classes = existsSync(archived)
        ? [`-XX:SharedArchiveFile=${archived}`]
        : [`-XX:ArchiveClassesAtExit=${join(folder, archive)}`];
      return [openSearchIn(folder, { home, java, ports, somebody, classes })];
    };
  },
  isHealthy: ([port]) =>
    answers(`http://127.0.0.1:${port}/_cluster/health?wait_for_status=yellow&timeout=4s`),
  keep(folder, cache) {
    for (const file of readdirSync(folder).filter((one) => one.endsWith('.jsa')))
      renameSync(join(folder, file), join(cache, file));
  },
};

type Start = {
  home: string;
  java: string;
  /** For HTTP, and among nodes. */
  ports: readonly number[];
  somebody: Somebody;
  /** What Java is told of its archive of classes. */
  classes: readonly string[];
};

/** Where it lies once it was brought. */
export const openSearchHome = (cache: string) => join(cache, name);

/** How it is started in a folder, whose data stays as it is. */
export function openSearchIn(folder: string, { home, java, ports, somebody, classes }: Start): Command {
  configure(home, folder, ports);
  if (somebody.owner !== undefined) give(folder, somebody.owner);
  const [program = java, ...args] = [...somebody.prefix, java, ...classes, ...options(home, folder), ...main];
  return { program, args, cwd: home };
}

/** Java is called directly: bin/opensearch starts several others before it, and takes twice as long. */
const main = ['-cp', 'lib/*', 'org.opensearch.bootstrap.OpenSearch'];

function options(home: string, folder: string): string[] {
  return [
    ...['-Xms512m', '-Xmx512m', '-Xss1m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
    ...['-XX:+UnlockDiagnosticVMOptions', '-XX:+AllowArchivingWithJavaAgent'],
    ...['-javaagent:agent/opensearch-agent.jar', '--enable-native-access=ALL-UNNAMED'],
    ...['-Djna.nosys=true', '-Dio.netty.noUnsafe=true', '-Dlog4j2.disable.jmx=true'],
    `-Djava.io.tmpdir=${join(folder, 'tmp')}`,
    `-Dopensearch.path.home=${home}`,
    `-Dopensearch.path.conf=${join(folder, 'config')}`,
    ...['-Dopensearch.distribution.type=zip', '-Dopensearch.bundled_jdk=false'],
  ];
}

function configure(home: string, folder: string, [http, transport]: readonly number[]): void {
  for (const inner of ['config', 'data', 'logs', 'tmp']) mkdirSync(join(folder, inner), { recursive: true });
  copyFileSync(join(home, 'config/log4j2.properties'), join(folder, 'config/log4j2.properties'));
  const settings = {
    'discovery.type': 'single-node',
    'network.host': '127.0.0.1',
    'http.port': http,
    'transport.port': transport,
    'path.data': join(folder, 'data'),
    'path.logs': join(folder, 'logs'),
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`);
  writeFileSync(join(folder, 'config/opensearch.yml'), lines.join(''));
}

function give(folder: string, owner: number): void {
  for (const inner of ['.', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })])
    chownSync(join(folder, inner), owner, owner);
}

function distribution({ cache, say }: Source): Promise<string> {
  return made(openSearchHome(cache), async (making) => {
    const zip = `${making}.zip`;
    say(`OpenSearch ${version}: ${Math.ceil(bytes / 1e6)} MB from Maven…`);
    await download(mavenRepository(), path, sha256, zip, reporter(`OpenSearch ${version}`, bytes, say));
    await unzip(zip, `${making}.files`);
    rmSync(zip);
    rmSync(making, { recursive: true });
    renameSync(join(`${making}.files`, name), making);
    rmSync(`${making}.files`, { recursive: true });
  });
}

const anybody = 1000;

/** Who it runs as: what stands before its command, and who must own its folder. */
type Somebody = { prefix: string[]; owner?: number };

/**
 * It refuses to run as root. Where the kernel lets us, it only sees itself as somebody else; where user namespaces are
 * refused, as in containers, it is somebody else, who owns its folder.
 */
export async function otherThanRoot(): Promise<Somebody> {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const namespace = ['--user', `--map-user=${anybody}`, `--map-group=${anybody}`, '--'];
  if ((await tried('unshare', [...namespace, 'true'])) !== undefined)
    return { prefix: ['unshare', ...namespace] };
  const ids = [`--reuid=${anybody}`, `--regid=${anybody}`, '--clear-groups', '--'];
  return { prefix: ['setpriv', ...ids], owner: anybody };
}
