/**
 * `node --import ./test/torture/plant.ts …`: puts the known defect that PLANTED names into the code as it is loaded, in
 * this process and in those that it forks. The files themselves stay as they are.
 */
import { registerHooks } from 'node:module';
import { plants, type SourceChange } from './plants.ts';

const root = new URL('../../', import.meta.url).href;
const changes = plants[process.env.PLANTED ?? '']?.changes;
if (changes === undefined)
  throw new Error(`PLANTED names no known defect. There are: ${Object.keys(plants).join(', ')}.`);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const wanted = changes.filter(({ file }) => url === root + file);
    if (wanted.length === 0) return loaded;
    return { ...loaded, source: wanted.reduce(changed, `${loaded.source}`) };
  },
});

function changed(source: string, { file, find, put }: SourceChange): string {
  if (source.split(find).length !== 2)
    throw new Error(
      `The defect "${process.env.PLANTED}" no longer fits ${file}: what it changes is not there once.`,
    );
  return source.replace(find, () => put);
}
