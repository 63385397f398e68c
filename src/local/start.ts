/** `sluice start`: everything in one place, a day of the shop, and the proof. */
import type { App } from '../pipeline/app.ts';
import { type Handlers, openHome } from './home.ts';
import { type Proof, playOnce, proofLines } from './play/once.ts';
import type { Step } from './play/step.ts';
import type { ReadsOf } from './proof/cache.ts';
import type { Services } from './services.ts';

export type StartParts = { app: App; handlers: Handlers; day: readonly Step[]; readsOf: ReadsOf };
export type StartOptions = {
  once: boolean;
  json: boolean;
  environment: NodeJS.ProcessEnv;
  say(line: string): void;
};

/** Runs until the proof is made, or with `once: false` until stopped. Gives the exit status. */
export async function start(
  parts: StartParts,
  { once, json, environment, say }: StartOptions,
): Promise<number> {
  const began = performance.now();
  const stopped = Promise.withResolvers<number>();
  const onExit = (error: Error) => {
    say(error.message);
    stopped.resolve(1);
  };
  const home = await openHome({ ...parts, environment, onExit });
  const interrupt = () => stopped.resolve(130);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupt);
  const stopWatching = watchParent(interrupt);
  const tell = json ? () => {} : say;
  try {
    tell(firstLine(home.services));
    const play = playOnce({ home, ...parts, say: tell });
    play.catch(() => {}); // when stopped meanwhile, nobody waits for it any more
    const proof = await Promise.race([play, stopped.promise]);
    if (typeof proof === 'number') return proof;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    for (const line of json
      ? [JSON.stringify({ ...proof, seconds: Number(seconds) })]
      : lines(proof, seconds))
      say(line);
    if (once) return proof.ok ? 0 : 1;
    tell(`The mail that was sent: ${home.services.mailUrl}   Stop with Ctrl-C.`);
    return await stopped.promise;
  } finally {
    stopWatching();
    await home.stop();
  }
}

function lines(proof: Proof, seconds: string): string[] {
  return [...proofLines(proof), `${seconds} s`];
}

function firstLine({ described }: Services): string {
  const real = described.filter((service) => service.real !== undefined);
  const local = described.filter((service) => service.real === undefined).map(({ name }) => name);
  const stand = `stand-ins on this machine: ${local.join(', ')}`;
  if (real.length === 0) return `Nothing real is used. ${stand[0]?.toUpperCase()}${stand.slice(1)}.`;
  return `Real: ${real.map(({ name, real }) => `${name} at ${real}`).join(', ')}; ${stand}.`;
}

/** Started by npm, we end when npm does, also when it is killed: else everything below would stay behind. */
function watchParent(onGone: () => void): () => void {
  const parent = process.ppid;
  const timer = setInterval(() => process.ppid !== parent && onGone(), 200);
  return () => clearInterval(timer);
}
