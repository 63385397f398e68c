// Each function as one file: ESM, with a source map, without the AWS SDK, which Lambda brings.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const names = ['project', 'notify', 'redrive', 'mail', 'feedback', 'api'];

export const folder = join(root, 'bundle');

/** Gives esbuild's account of what went into each. */
export async function bundle() {
  await rm(folder, { recursive: true, force: true });
  const built = names.map(async (name) => {
    const outfile = join(folder, name, 'index.js');
    const { metafile } = await build({
      entryPoints: [join(root, 'handlers', `${name}.ts`)],
      outfile,
      absWorkingDir: root,
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      minify: true,
      keepNames: true, // an error's name is all that a log tells of it
      sourcemap: true,
      sourcesContent: false, // the places are enough, and the map stays small
      external: ['@aws-sdk/*', '@smithy/*'],
      metafile: true,
      logLevel: 'error',
      // What is written for CommonJS asks for `require`.
      banner: {
        js: "import { createRequire as __require } from 'node:module'; const require = __require(import.meta.url);",
      },
    });
    await mkdir(join(folder, name), { recursive: true });
    // Without it Lambda takes a .js file for CommonJS.
    await writeFile(join(folder, name, 'package.json'), '{"type":"module"}\n');
    return [name, metafile];
  });
  return Object.fromEntries(await Promise.all(built));
}
