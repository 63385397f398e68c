/** A whole day of one of the apps at home, proved, attacked, and proved again: `node test/other/main.ts 'the library'`. */
import { playOnce, proofLines } from '../../src/local/play/once.ts';
import { openOther } from './kit.ts';
import { samples } from './samples.ts';

const sample = samples.find(({ name }) => name === process.argv[2]);
if (sample === undefined)
  throw new Error(`There is no such app. There are ${samples.map(({ name }) => name)}.`);

const say = (line: string) => console.log(line);
const world = await openOther(sample.app);
const proof = await playOnce({
  home: world.home,
  day: sample.day,
  readsOf: sample.readsOf,
  live: false,
  say,
  warn: say,
});
await world.stop();
for (const line of proofLines(proof)) say(line);
process.exit(proof.ok ? 0 : 1); // the handlers keep their connections open, as on Lambda
