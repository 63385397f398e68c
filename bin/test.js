// `npm test`: lint, types, dead code and tests, on the Node that the project brings; ends with a plain count.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { install, keepCompiled, ownNode, root } from './own-node.js';
import { describeTested, givenServers } from './real-servers.js';

const given = givenServers(process.env.SLUICE_TEST_SERVERS);
install();
keepCompiled();
const node = ownNode();
const environment = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
const results = join(root, 'node_modules', '.sluice-test.json');

const checks = [
  ['lint', '@biomejs/biome', 'biome', ['check']],
  ['types', 'typescript', 'tsc', ['--noEmit']],
  ['dead code', 'knip', 'knip', []],
];

let failedChecks = 0;
for (const [name, packageName, bin, args] of checks) {
  console.log(`— ${name}`);
  if (run(packageName, bin, args) !== 0) failedChecks += 1;
}

console.log('— tests');
rmSync(results, { force: true });
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
const asked = process.argv.slice(2);
// A snapshot that is missing is a failure, not written by the way: else deleting one would pass. -u writes them.
const update = asked.some((arg) => /^(-u|--update)/.test(arg)) ? [] : ['--update=none'];
const status = run('vitest', 'vitest', ['run', ...reporters, ...update, ...asked]);
const told = readResults();
const { numPassedTests: passed = 0, numFailedTests: failed = 0, numPendingTests: skipped = 0 } = told ?? {};
// Tests can fail as a whole, without a single one of them failing.
const unseen = status !== 0 && failed === 0 ? 1 : 0;
if (told !== undefined) console.log(describeTested(told, given));
const all = failed + failedChecks + unseen;
console.log(`${passed} passed, ${all} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(all === 0 ? 0 : 1);

function run(packageName, bin, args) {
  const manifest = join(root, 'node_modules', packageName, 'package.json');
  const { bin: bins } = JSON.parse(readFileSync(manifest, 'utf8'));
  const script = join(dirname(manifest), typeof bins === 'string' ? bins : bins[bin]);
  return spawnSync(node, [script, ...args], { cwd: root, env: environment, stdio: 'inherit' }).status;
}

function readResults() {
  try {
    return JSON.parse(readFileSync(results, 'utf8'));
  } catch {
    return undefined; // it ended before it wrote them
  }
}
