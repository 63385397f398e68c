/** `sluice start`: everything in one place, a day of the shop, and the proof. */

import type { Routes } from '../http/api.ts';
import { openApi } from '../http/api.ts';
import type { App } from '../pipeline/app.ts';
import type { PublishedEvent } from '../sinks/bus/event.ts';
import type { Store } from '../table/store.ts';
import { withoutPassword } from './address.ts';
import { startApi } from './api.ts';
import { type Handlers, type Home, openHome } from './home.ts';
import { commands } from './live/console.ts';
import { readKeys } from './live/keys.ts';
import { plain } from './live/plain.ts';
import { watchChanges } from './live/watch.ts';
import { type Play, type Proof, playOnce, proofLines, proveAgain } from './play/once.ts';
import type { OnDemand, Step, Subscriber } from './play/step.ts';
import type { ReadsOf } from './proof/cache.ts';
import { announce } from './running.ts';
import type { Services } from './services.ts';

export type StartParts = {
  app: App;
  handlers: Handlers;
  routes: Routes;
  day: readonly Step[];
  onDemand: OnDemand;
  subscriber: Subscriber;
  readsOf: ReadsOf;
};

export type StartOptions = {
  once: boolean;
  json: boolean;
  /** The API's; 0 takes any that is free. */
  port: number;
  /** The folder that keeps the data for the next start. */
  keep?: string | undefined;
  environment: NodeJS.ProcessEnv;
  /** Stops it early. */
  signal: AbortSignal;
  say(line: string): void;
};

const interrupted = 130; // as a shell reports Ctrl-C

/** Runs until the proof is made, or with `once: false` until stopped. Gives the exit status. */
export async function start(parts: StartParts, options: StartOptions): Promise<number> {
  const { once, json, environment, signal, say } = options;
  const began = performance.now();
  const stopped = Promise.withResolvers<number>();
  const onExit = (error: Error) => {
    say(error.message);
    stopped.resolve(1);
  };
  const interrupt = () => stopped.resolve(interrupted);
  signal.addEventListener('abort', interrupt);
  if (signal.aborted) interrupt();
  // Stopped while it opens, the process ends, and with it what it has started.
  const home = await Promise.race([
    openHome({ ...parts, environment, keep: options.keep, onExit }),
    stopped.promise,
  ]);
  if (typeof home === 'number') return home;
  const tell = json ? () => {} : say;
  try {
    tell(firstLine(home.services));
    const { onDemand } = parts;
    // The same few orders that can be placed by hand.
    const during = Array.from(
      { length: 6 },
      (_, number) => (store: Store) => onDemand.placeOrder(store, number),
    );
    const outage = once ? {} : { outage: { during } };
    const play: Play = {
      ...parts,
      ...outage,
      home,
      live: !once,
      say: tell,
      warn: json ? console.error : say,
    };
    const running = once ? prove(play) : live(play, parts, options, stopped);
    running.catch(() => {}); // when stopped meanwhile, nobody waits for it any more
    const proof = await Promise.race([running, stopped.promise]);
    if (typeof proof === 'number') return proof;
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    const told = json
      ? [JSON.stringify({ ...proof, seconds })]
      : [...proofLines(proof), `${seconds.toFixed(1)} s`];
    for (const line of told) say(line);
    return proof.ok ? 0 : 1;
  } finally {
    signal.removeEventListener('abort', interrupt);
    await home.stop();
  }
}

/** Shows all as it happens, and stays. */
async function live(
  play: Play,
  { app, routes, onDemand, subscriber }: StartParts,
  { port, say }: StartOptions,
  stopped: PromiseWithResolvers<number>,
): Promise<number> {
  const { home } = play;
  const api = await startApi(app, openApi(app, home.connections, routes), port);
  say(`API ${api.url}   search ${api.url}/   outbox ${home.services.mailUrl}`);
  subscribe(home, subscriber, say);
  const leave = announce(home.services.environment);
  try {
    const proof = await prove(play);
    for (const line of proofLines(proof)) say(line);
    return await attend(play, onDemand, stopped, say, proof.parked);
  } finally {
    leave();
    await api.stop();
  }
}

/** A day is played once: where there are items of an earlier run, they are proved as they are. */
function prove(play: Play): Promise<Proof> {
  return play.home.resumed ? proveAgain(play) : playOnce(play);
}

function subscribe(
  { services, connections }: Home,
  { name, pattern, receive }: Subscriber,
  say: StartOptions['say'],
) {
  services.subscribe(connections.config.SLUICE_BUS, pattern, (event) => {
    const did = receive(event.detail as PublishedEvent);
    if (did !== undefined) say(`    ${name}, who subscribes to ${event['detail-type']}, ${plain(did)}`);
  });
}

/** Waits for keys and for changes that others make, until it is stopped. */
async function attend(
  play: Play,
  onDemand: OnDemand,
  stopped: PromiseWithResolvers<number>,
  say: StartOptions['say'],
  parked: number,
): Promise<number> {
  const watch = watchChanges(say, true);
  const known = commands({ play, watch, onDemand, parked });
  let busy: Promise<void> = Promise.resolve();
  const press = (key: string) => {
    if (key === 'q' || key === '\u0003') return stopped.resolve(key === 'q' ? 0 : interrupted);
    const command = known.find((one) => one.key === key);
    // One after the other: a proof in the midst of a write would find it half done.
    busy = busy.then(() => command?.run()).catch((error: Error) => say(plain(error.message)));
  };
  const leave = readKeys(process.stdin, press);
  const keys = process.stdin.isTTY
    ? `${known.map(({ key, means }) => `${key} ${means}`).join('   ')}   q quit`
    : 'Stop with Ctrl-C.';
  say(keys);
  try {
    return await stopped.promise;
  } finally {
    leave();
    watch.stop();
  }
}

function firstLine({ described }: Services): string {
  const real = described.filter((service) => service.real !== undefined);
  const local = described.filter((service) => service.real === undefined).map(({ name }) => name);
  const stand = `stand-ins on this machine: ${local.join(', ')}`;
  if (real.length === 0) return `Nothing real is used. ${stand[0]?.toUpperCase()}${stand.slice(1)}.`;
  return `Real: ${real.map(({ name, real }) => `${name} at ${withoutPassword(`${real}`)}`).join(', ')}; ${stand}.`;
}
