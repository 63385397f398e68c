// Each function as one file: ESM, with a source map, without the AWS SDK, which Lambda brings.
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');

/** Gives esbuild's account of what went into each. */
export async function bundle(folder = join(root, 'bundle')) {
  const names = (await readdir(join(root, 'handlers'))).map((file) => parse(file).name);
  await rm(folder, { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: Object.fromEntries(
      names.map((name) => [`${name}/index`, join(root, 'handlers', `${name}.ts`)]),
    ),
    outdir: folder,
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minify: true,
    keepNames: true, // an error's name is all that a log tells of it
    sourcemap: true,
    sourcesContent: false, // the places are enough, and the map stays small
    external: ['@aws-sdk/*'],
    metafile: true,
    logLevel: 'error',
    // What is written for CommonJS asks for `require`.
    banner: {
      js: "import { createRequire as __require } from 'node:module'; const require = __require(import.meta.url);",
    },
  });
  // Without it Lambda takes a .js file for CommonJS.
  for (const name of names) await writeFile(join(folder, name, 'package.json'), '{"type":"module"}\n');
  return metafile;
}
