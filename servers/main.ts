/**
 * `npm run servers`: real servers for the tests, on loopback. What a shell needs to know goes to stdout, all else to
 * stderr: `eval "$(npm run --silent servers)"`.
 */
import { setGlobalProxyFromEnv } from 'node:http';
import { delimiter, dirname, join } from 'node:path';
import { Command } from 'commander';
import { all } from './all.ts';
import { redisProgram } from './debian.ts';
import { takeDown } from './down.ts';
import { findJava } from './java.ts';
import { placesIn } from './places.ts';
import { startedHere } from './processes.ts';
import type { Tools } from './server.ts';
import { alone, openState } from './state.ts';
import { type Asked, bringUp, isUp, lastLines } from './up.ts';

const places = placesIn(process.env);
const state = openState(places.run);
/** What names a server to a local run. */
const localVariables: Readonly<Record<string, string>> = {
  opensearch: 'SLUICE_SEARCH_ENDPOINT',
  redis: 'SLUICE_CACHE_ENDPOINT',
};

const names = Object.keys(all).join(', ');

const program = new Command('npm run servers --').description(
  'Real servers for the tests: brings what is missing into the cache folder, and starts what is not running.',
);
program
  .command('up', { isDefault: true })
  .description('start them and print how a shell tells the tests; without names all of them')
  .argument('[server[:port]...]', names)
  .action((asked: string[]) => locked(() => up(read(asked))));
program
  .command('down')
  .description('end them all and remove their data')
  .action(() => locked(() => takeDown(places, state, say)));
program.command('status').description('what runs; status 1 unless all that was started does').action(status);

setGlobalProxyFromEnv();
await program.parseAsync().catch((error: Error) => fail(error.message));

function read(asked: string[]): Asked[] {
  const given = asked.length > 0 ? asked : Object.keys(all);
  return given.map((text) => {
    const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
    const server = all[name];
    if (server === undefined)
      throw new Error(`There is no server "${name}". There are ${names}; commands are up, down and status.`);
    if (port === undefined) return { name, server };
    if (Number(port) < 1 || Number(port) + server.ports > 65_536)
      throw new Error(`${port} is no port for ${name}.`);
    return { name, server, port: Number(port) };
  });
}

async function up(asked: Asked[]): Promise<void> {
  const began = Date.now();
  const tools = toolsIn(places.cache);
  const settled = await Promise.allSettled(asked.map((one) => bringUp(one, places, state, tools)));
  for (const [index, one] of settled.entries())
    if (one.status === 'rejected') fail(`${asked[index]?.server.title}: ${one.reason.message}`);
  const came = settled.filter(({ status }) => status === 'fulfilled').length;
  say(`${came} of ${asked.length} up after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  const wantsRedis = asked.some(({ name }) => name.startsWith('redis'));
  print(wantsRedis ? await tools.redis().catch(() => undefined) : undefined);
}

/** All that runs, also what was asked for earlier. */
function print(redis?: string): void {
  const endpoints = Object.entries(state.read()).map(
    ([name, { ports }]) => `${name}=${all[name]?.endpoint(ports)}`,
  );
  if (endpoints.length === 0) return;
  console.log(`export SLUICE_TEST_SERVERS='${endpoints.join(' ')}'`);
  const named = Object.entries(state.read()).flatMap(([name, { ports }]) =>
    name in localVariables ? [`${localVariables[name]}=${all[name]?.endpoint(ports)}`] : [],
  );
  if (named.length > 0) console.log(`# a local run or torture uses them by: ${named.join(' ')}`);
  // A Redis from the cache: some tests start one of their own.
  if (redis?.startsWith(places.cache)) console.log(`export PATH="$PATH${delimiter}${dirname(redis)}"`);
}

async function status(): Promise<void> {
  const started = Object.entries(state.read());
  if (started.length === 0) say('Nothing is up.');
  for (const [name, kept] of started) {
    const server = all[name];
    if (server === undefined) continue;
    if (await isUp(server, kept)) say(`${server.title}: up on port ${kept.ports[0]}`);
    else fail(`${server.title}: does not answer any more. ${lastLines(join(places.run, name))}`);
  }
  if (started.length > 0) print();
}

function toolsIn(cache: string): Tools {
  const base = { cache, say };
  return { ...base, java: onceOnly(() => findJava(base)), redis: onceOnly(() => redisProgram(base)) };
}

function onceOnly<T>(find: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | undefined;
  return () => {
    found ??= find();
    return found;
  };
}

function locked(work: () => Promise<void>): Promise<void> {
  return alone(places.cache, startedHere(process.pid), say, work);
}

function say(line: string): void {
  console.error(line);
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
