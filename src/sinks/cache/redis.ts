/**
 * The cache in Redis or Valkey. A key is a hash with either `v` (the value) or `t` (the token). Each script touches
 * one key, so a cluster takes them.
 */
import { randomUUID } from 'node:crypto';
import { Redis } from 'iovalkey';
import type { Credentials, Secret } from '../../secret.ts';
import { type CachePort, tokenMilliseconds } from './port.ts';
import { signedIn } from './signedIn.ts';

export const readScript = `
local v = redis.call('HGET', KEYS[1], 'v')
if v then return {1, v} end
local t = redis.call('HGET', KEYS[1], 't')
if t then return {0, t} end
redis.call('HSET', KEYS[1], 't', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {0, ARGV[1]}`;

export const fillScript = `
if redis.call('HGET', KEYS[1], 't') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'v', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`;

type Scripted = Redis & {
  sluiceRead(key: string, token: string, milliseconds: number): Promise<[number, string]>;
  sluiceFill(key: string, token: string, value: string, milliseconds: number): Promise<number>;
};

/** With a secret its client is opened once that is read, and anew where the server refuses what was read. */
export function redisCache(url: string, keyPrefix: string, secret?: Secret): CachePort {
  // A command that fails knows only that it waited; why is said here.
  let trouble: Error | undefined;
  const watched = (credentials: Partial<Credentials>) => {
    const redis = openRedis(url, keyPrefix, credentials);
    // Without a listener the process would end.
    redis.on('error', (error: Error) => {
      trouble = error;
    });
    redis.on('ready', () => {
      trouble = undefined;
    });
    return redis;
  };
  const { run, close } = signedIn(watched, secret);
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
      return settled.map((one) => (one.status === 'fulfilled' ? true : toError(one.reason)));
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

function openRedis(url: string, keyPrefix: string, credentials: Partial<Credentials>): Scripted {
  const redis = new Redis(url, {
    ...credentials,
    keyPrefix,
    // Only this bounds a server that is frozen; a server that is gone fails after one try.
    commandTimeout: 1_000,
    connectTimeout: 1_000,
    maxRetriesPerRequest: 1,
  }) as Scripted;
  redis.defineCommand('sluiceRead', { numberOfKeys: 1, lua: readScript });
  redis.defineCommand('sluiceFill', { numberOfKeys: 1, lua: fillScript });
  return redis;
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
