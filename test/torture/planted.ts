/**
 * `node test/torture/planted.ts [defect…]`: `sluice torture` with each known defect, or those named, in the code that
 * runs. The status is 0 if it found them all. Four seeds are tried for each: the same seed makes the same decisions,
 * but when they take effect, the machine decides.
 */
import { spawnSync } from 'node:child_process';
import { type Plant, plants } from './plants.ts';

const root = new URL('../../', import.meta.url).pathname;
const tries = 4;

export type Found = { seed: number; broken: Broken[]; seconds: number };

type Broken = { promise: string; found: string[] };

/** Which seed finds the defect; nothing where none of them does. */
export function find(name: string, plant: Plant): Found | undefined {
  for (let seed = plant.seed; seed < plant.seed + tries; seed++) {
    const began = performance.now();
    const broken = brokenBy(name, plant, seed);
    const seconds = Math.round((performance.now() - began) / 1000);
    if (broken.length > 0) return { seed, broken, seconds };
  }
  return undefined;
}

function brokenBy(name: string, { kills, sinkFaults, breaks }: Plant, seed: number): Broken[] {
  const options = ['--json', '--kills', `${kills}`, '--seed', `${seed}`, '--sink-faults', `${sinkFaults}`];
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', './test/torture/plant.ts', 'bin/sluice.js', 'torture', ...options],
    { cwd: root, env: { ...process.env, PLANTED: name }, encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  if (stdout === '') throw new Error(`torture with "${name}" gave no outcome:\n${stderr}`);
  const { verdict } = JSON.parse(stdout);
  const promises = Object.entries<string[]>(verdict.broken);
  return promises
    .map(([promise, found]) => ({ promise, found }))
    .filter(({ promise, found }) => found.length > 0 && breaks.includes(promise));
}

if (import.meta.main) {
  const named = process.argv.slice(2);
  const unknown = named.filter((name) => plants[name] === undefined);
  if (unknown.length > 0)
    throw new Error(`There is no defect ${unknown[0]}. There are: ${Object.keys(plants).join(', ')}.`);
  for (const [name, plant] of Object.entries(plants)) {
    if (named.length > 0 && !named.includes(name)) continue;
    const found = find(name, plant);
    if (found === undefined) process.exitCode = 1;
    if (found === undefined) console.log(`${name}: NOT FOUND`);
    else {
      const { seed, broken, seconds } = found;
      console.log(`${name}: seed ${seed}, ${plant.kills} kills, ${seconds} s`);
      for (const { promise, found } of broken)
        console.log(`  ${promise}: ${found.length}, such as: ${found[0]}`);
    }
  }
}
