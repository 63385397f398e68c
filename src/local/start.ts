/** `sluice start`: everything in one place, a day of the shop, and the proof. */
import type { App } from '../pipeline/app.ts';
import { type Handlers, openHome } from './home.ts';
import { playOnce, proofLines } from './play/once.ts';
import type { Step } from './play/step.ts';
import type { ReadsOf } from './proof/cache.ts';
import type { Services } from './services.ts';

export type StartParts = { app: App; handlers: Handlers; day: readonly Step[]; readsOf: ReadsOf };
export type StartOptions = {
  once: boolean;
  json: boolean;
  environment: NodeJS.ProcessEnv;
  /** Stops it early. */
  signal: AbortSignal;
  say(line: string): void;
};

const interrupted = 130; // as a shell reports Ctrl-C

/** Runs until the proof is made, or with `once: false` until stopped. Gives the exit status. */
export async function start(
  parts: StartParts,
  { once, json, environment, signal, say }: StartOptions,
): Promise<number> {
  const began = performance.now();
  const stopped = Promise.withResolvers<number>();
  const onExit = (error: Error) => {
    say(error.message);
    stopped.resolve(1);
  };
  const home = await openHome({ ...parts, environment, onExit });
  const interrupt = () => stopped.resolve(interrupted);
  signal.addEventListener('abort', interrupt);
  if (signal.aborted) interrupt();
  const tell = json ? () => {} : say;
  try {
    tell(firstLine(home.services));
    const play = playOnce({ home, ...parts, say: tell });
    play.catch(() => {}); // when stopped meanwhile, nobody waits for it any more
    const proof = await Promise.race([play, stopped.promise]);
    if (typeof proof === 'number') return proof;
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    const told = json ? [JSON.stringify({ ...proof, seconds })] : [...proofLines(proof), `${seconds} s`];
    for (const line of told) say(line);
    if (once) return proof.ok ? 0 : 1;
    tell(`The mail that was sent: ${home.services.mailUrl}   Stop with Ctrl-C.`);
    return await stopped.promise;
  } finally {
    signal.removeEventListener('abort', interrupt);
    await home.stop();
  }
}

function firstLine({ described }: Services): string {
  const real = described.filter((service) => service.real !== undefined);
  const local = described.filter((service) => service.real === undefined).map(({ name }) => name);
  const stand = `stand-ins on this machine: ${local.join(', ')}`;
  if (real.length === 0) return `Nothing real is used. ${stand[0]?.toUpperCase()}${stand.slice(1)}.`;
  return `Real: ${real.map(({ name, real }) => `${name} at ${real}`).join(', ')}; ${stand}.`;
}
