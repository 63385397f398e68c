// Plain JavaScript, and nothing but what any Node from 18 on has: it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const wanted = 24; // as on Lambda
const lock = join(root, 'package-lock.json');
const mark = join(root, 'node_modules', '.sluice-lock');

/** Runs a file of the project; ends with its exit status. */
export async function runOnOwnNode(file, args) {
  install();
  keepCompiled();
  const node = ownNode();
  // An installed package holds what was compiled: Node strips no types below node_modules.
  const compiled = join(root, 'dist', file.replace(/\.ts$/, '.js'));
  const script = existsSync(join(root, file)) ? join(root, file) : compiled;
  if (node === process.execPath || Number(process.versions.node.split('.')[0]) === wanted) {
    process.argv = [process.execPath, script, ...args];
    await import(script);
    return process.exitCode;
  }
  // The channel tells the child when we are gone, also when we are killed.
  const child = spawn(node, [script, ...args], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) =>
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1))),
  );
}

/** What Node has compiled is kept, for this process and those that it starts; not in an installed package. */
export function keepCompiled() {
  if (!existsSync(lock)) return;
  process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.cache', 'compiled');
  nodeModule.enableCompileCache?.(); // not on Node 18 and 20; its child takes the variable
}

/** `npm ci`, once for each lock file; in an installed package there is no lock file, and npm has done it. */
export function install() {
  if (!existsSync(lock)) return;
  const state = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === state) return;
  console.error('Installing the dependencies, once; this takes about half a minute…');
  const began = Date.now();
  const ci = ['ci', '--include=dev', '--include=optional', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const command = npm ? [process.execPath, [npm, ...ci]] : ['npm', ci];
  const { status, error } = spawnSync(command[0], command[1], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    console.error(`The installation failed${error ? `: ${error.message}` : ''}. Run "npm ci" to see why.`);
    process.exit(1);
  }
  writeFileSync(mark, state);
  console.error(`Installed in ${Math.round((Date.now() - began) / 1000)} s.`);
}

/** The Node of our dependencies; where npm has none for this platform, the user's own must do. */
export function ownNode() {
  const name = `node-${process.platform}-${process.arch}`;
  try {
    return nodeModule.createRequire(join(root, 'package.json')).resolve(`${name}/bin/node`);
  } catch {
    if (Number(process.versions.node.split('.')[0]) >= wanted) return process.execPath;
    console.error(
      `Sluice needs Node ${wanted}. npm has none for ${process.platform}-${process.arch}: install it and try again.`,
    );
    process.exit(1);
  }
}
