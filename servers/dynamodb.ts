/** DynamoDB Local, in memory. It listens on all interfaces: it has no option for that. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { download, reporter } from './download.ts';
import { made } from './made.ts';
import { mavenRepository } from './maven.ts';
import { answers, type Server, type Source } from './server.ts';

const version = '3.0.0';
const bytes = 46_500_000;
const atOnce = 8;

export const dynamodb: Server = {
  title: `DynamoDB Local ${version}`,
  ports: 1,
  endpoint: ([port]) => `http://127.0.0.1:${port}`,
  async prepare(tools) {
    const [java, home] = await Promise.all([tools.java(), libraries(tools)]);
    const flags = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', `-Djava.library.path=${home}`];
    const main = ['-cp', `${home}/*`, 'software.amazon.dynamodb.services.local.main.ServerRunner'];
    // Without -sharedDb each access key has tables of its own, so that tests do not meet.
    const options = ['-inMemory', '-disableTelemetry'];
    return ({ ports: [port] }) => [
      { program: java, args: [...flags, ...main, ...options, '-port', String(port)] },
    ];
  },
  isHealthy: ([port]) => answers(`http://127.0.0.1:${port}/`, 400),
};

/** What Maven resolves for it, file by file, so that no Maven is needed. */
function pinned(): { path: string; sha256: string }[] {
  const file = join(import.meta.dirname, 'pinned/dynamodb-local.sha256');
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/))
    .map(([sha256 = '', path = '']) => ({ sha256, path }));
}

function libraries({ cache, say }: Source): Promise<string> {
  return made(join(cache, `dynamodb-local-${version}`), async (making) => {
    const files = pinned();
    say(`DynamoDB Local ${version}: ${files.length} files from Maven, ${Math.ceil(bytes / 1e6)} MB…`);
    const progress = reporter(`DynamoDB Local ${version}`, bytes, say);
    const repository = mavenRepository();
    const fetchNext = async () => {
      for (let one = files.pop(); one !== undefined; one = files.pop())
        await download(repository, one.path, one.sha256, join(making, basename(one.path)), progress);
    };
    await Promise.all(Array.from({ length: atOnce }, fetchNext));
  });
}
