/**
 * What the cache's client costs a cold start, against the other one, and what the search's client does. Run it by
 * `node test/bench/clients.ts`; it installs the other one into a folder that it removes again.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = new URL('../..', import.meta.url).pathname;
const other = 'ioredis@6.0.0';
const turns = 25;

/** Where both are found: ours above it, the other one in it. */
const folder = await mkdtemp(join(root, 'node_modules', '.sluice-bench-'));
try {
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent', other], { cwd: folder });
  const files = new Map([
    ['iovalkey', await bundled('iovalkey', '{ Redis, Cluster }')],
    ['ioredis', await bundled('ioredis', '{ Redis, Cluster }')],
    ['opensearch', await bundled('@opensearch-project/opensearch', '{ Client }')],
    ['nothing', await bundled('node:events', '{ once }')],
  ]);
  const times = new Map([...files.keys()].map((name) => [name, [] as number[]]));
  // In turn, so that whatever else the machine does falls on all of them.
  for (let turn = 0; turn < turns; turn++)
    for (const [name, file] of files) times.get(name)?.push(timeToLoad(file));
  for (const [name, file] of files) {
    const bytes = await readFile(file);
    const load = median(times.get(name) ?? []);
    const [size, packed] = [bytes.length, gzipSync(bytes).length].map((one) => Math.round(one / 1000));
    console.log(`${name.padEnd(10)} ${size} KB, ${packed} KB packed, ${load.toFixed(1)} ms to load`);
  }
  const [ours = 0, theirs = 0] = ['iovalkey', 'ioredis'].map((name) => median(times.get(name) ?? []));
  console.log(`ioredis takes ${(theirs / ours).toFixed(2)} of the time of iovalkey, ${turns} turns each`);
  console.log(await shares());
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** As deploy/bundle.js does it. */
async function bundled(name: string, imported: string): Promise<string> {
  const outfile = join(folder, `${name.replace(/\W/g, '-')}.js`);
  await build({
    stdin: {
      contents: `import ${imported} from '${name}'; globalThis.kept = ${imported};`,
      resolveDir: folder,
    },
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minify: true,
    keepNames: true,
    external: ['@aws-sdk/*'],
    banner: {
      js: "import { createRequire as __require } from 'node:module'; const require = __require(import.meta.url);",
    },
  });
  return outfile;
}

/** In a process of its own, milliseconds. */
function timeToLoad(file: string): number {
  const script = `const start = performance.now(); await import(${JSON.stringify(pathToFileURL(file).href)}); console.log(performance.now() - start)`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '--eval', script]));
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, next) => one - next)[Math.floor(numbers.length / 2)] ?? 0;
}

/** Of the function that has both clients. */
async function shares(): Promise<string> {
  const { bundle } = await import(pathToFileURL(join(root, 'deploy/bundle.js')).href);
  const { outputs } = await bundle(join(folder, 'bundle'));
  const [, project] = Object.entries<{ bytes: number; inputs: Record<string, { bytesInOutput: number }> }>(
    outputs,
  ).find(([name]) => name.endsWith('project/index.js')) ?? ['', { bytes: 0, inputs: {} }];
  const of = (name: string) =>
    Object.entries(project.inputs)
      .filter(([path]) => path.includes(`node_modules/${name}`))
      .reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0);
  const share = (name: string) => `${name} ${Math.round((100 * of(name)) / project.bytes)} %`;
  return `of project's ${Math.round(project.bytes / 1000)} KB: ${share('@opensearch-project')}, ${share('iovalkey')}`;
}
