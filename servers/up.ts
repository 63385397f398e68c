/** Starts what is not running yet; what runs is left alone. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Places } from './places.ts';
import { claim, freePorts } from './ports.ts';
import { end, isRunning, startDetached } from './processes.ts';
import type { Server, Tools } from './server.ts';
import type { Kept, State } from './state.ts';

const startSeconds = 90;
const shownLines = 12;

export type Asked = { name: string; server: Server; port?: number };

/** Gives the ports it listens on. */
export async function bringUp(
  { name, server, port }: Asked,
  { run }: Places,
  state: State,
  tools: Tools,
): Promise<readonly number[]> {
  const { title } = server;
  const folder = join(run, name);
  const before = state.read()[name];
  if (before !== undefined && (await isUp(server, before))) {
    if (port !== undefined && port !== before.ports[0])
      throw new Error(`it runs on port ${before.ports[0]} already; "npm run servers -- down" first`);
    tools.say(`${title}: runs already, port ${before.ports[0]}`);
    return before.ports;
  }
  if (before !== undefined) {
    tools.say(`${title}: ran no more. ${lastLines(folder)}\n${title}: started again`);
    await end(before.processes, 1);
  }
  const began = Date.now();
  const start = await server.prepare(tools);
  const startedAt = Date.now();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const ports = await portsFor(server, port);
  const commands = start({ ports, folder });
  const children = commands.map((command) => startDetached(command, folder, join(folder, 'log')));
  const kept: Kept = { ports, processes: children.map(({ started }) => started), commands };
  state.write(name, kept);
  try {
    const ended = () => children.map((child) => child.ended()).find((why) => why !== undefined);
    await until(() => server.isHealthy(ports), ended, folder);
    await server.settle?.(ports);
    await until(async () => (await server.isSettled?.(ports)) ?? true, ended, folder);
  } catch (error) {
    await end(kept.processes, 1);
    state.write(name, undefined);
    throw error;
  }
  const brought = startedAt - began > 1_000 ? `${seconds(startedAt - began)} to bring it, ` : '';
  tools.say(`${title}: up on port ${ports[0]} (${brought}${seconds(Date.now() - startedAt)} to start)`);
  return ports;
}

export async function isUp(server: Server, { ports, processes }: Kept): Promise<boolean> {
  return processes.every(isRunning) && (await server.isHealthy(ports));
}

/** What it said last, with where the rest is. */
export function lastLines(folder: string): string {
  const log = join(folder, 'log');
  let text = '';
  try {
    text = readFileSync(log, 'utf8').trim();
  } catch {
    // it never began
  }
  if (text === '') return 'It said nothing.';
  const lines = text.split('\n').slice(-shownLines);
  return `The last lines of ${log}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

async function until(holds: () => Promise<boolean>, ended: () => string | undefined, folder: string) {
  for (const end = Date.now() + startSeconds * 1000; !(await holds()); await wait(50)) {
    const why = ended() ?? (Date.now() > end ? `it was not up after ${startSeconds} s` : undefined);
    if (why !== undefined) throw new Error(`${why}. ${lastLines(folder)}`);
  }
}

/** The one given and, where more are needed, those after it. */
async function portsFor(server: Server, port: number | undefined): Promise<number[]> {
  if (port === undefined) return freePorts(server.ports);
  const ports = Array.from({ length: server.ports }, (_, index) => port + index);
  for (const one of ports) await claim(one);
  return ports;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
