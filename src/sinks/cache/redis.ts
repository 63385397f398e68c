/** The cache in Redis or Valkey. A key is a hash with either `v` (the value) or `t` (the token). */
import { randomUUID } from 'node:crypto';
import type { Secret } from '../../secret.ts';
import { openClient } from './client.ts';
import type { Told } from './commands.ts';
import { type CachePort, tokenMilliseconds } from './port.ts';
import { signedIn } from './signedIn.ts';

/** With a secret its client is opened once that is read, and anew where the server refuses what was read. */
export function redisCache(endpoint: string, keyPrefix: string, secret?: Secret): CachePort {
  // A command that fails knows only that it waited; why is said here.
  let trouble: Error | undefined;
  const { run, isPartly, close } = signedIn((credentials, told) => {
    const toldBoth: Told = (error) => {
      trouble = error;
      told(error);
    };
    return openClient(endpoint, keyPrefix, credentials, toldBoth);
  }, secret);
  return {
    async read(key) {
      const [held, text] = await run((redis) => redis.sluiceRead(key, randomUUID(), tokenMilliseconds));
      return held === 1 ? { value: text } : { token: text };
    },
    async fill(key, token, value, milliseconds) {
      if (milliseconds <= 0) return false;
      return (await run((redis) => redis.sluiceFill(key, token, value, Math.ceil(milliseconds)))) === 1;
    },
    async invalidate(keys) {
      // Separate commands, sent together: a cluster refuses one command or pipeline over several slots.
      const settled = await Promise.allSettled(keys.map((key) => run((redis) => redis.unlink(key))));
      const answers = settled.map((one) => (one.status === 'fulfilled' ? true : toError(one.reason)));
      const [first] = answers;
      // Of a cluster it may be only these keys' node.
      if (first instanceof Error && !answers.includes(true) && !(await isPartly())) throw first;
      return answers;
    },
    async peek(key) {
      const value = run((redis) => redis.hget(key, 'v')).catch((cause: Error) => {
        throw new Error(trouble === undefined ? cause.message : `${cause.message}: ${trouble.message}`, {
          cause,
        });
      });
      return (await value) ?? undefined;
    },
    async close() {
      close();
    },
  };
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
