/**
 * The cache in Redis or Valkey. A key is a hash with either `v` (the value) or `t` (the token). Each script touches
 * one key, so a cluster takes them.
 */
import { randomUUID } from 'node:crypto';
import { Redis } from 'iovalkey';
import { type CachePort, tokenMilliseconds } from './port.ts';

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

export function redisCache(url: string, keyPrefix: string): CachePort {
  const redis = new Redis(url, {
    keyPrefix,
    // Only this bounds a server that is frozen; a server that is gone fails after one try.
    commandTimeout: 1_000,
    connectTimeout: 1_000,
    maxRetriesPerRequest: 1,
  }) as Scripted;
  // A command that fails knows only that it waited; why is said here. Without a listener the process would end.
  let trouble: Error | undefined;
  redis.on('error', (error: Error) => {
    trouble = error;
  });
  redis.on('ready', () => {
    trouble = undefined;
  });
  redis.defineCommand('sluiceRead', { numberOfKeys: 1, lua: readScript });
  redis.defineCommand('sluiceFill', { numberOfKeys: 1, lua: fillScript });
  return {
    async read(key) {
      const [held, text] = await redis.sluiceRead(key, randomUUID(), tokenMilliseconds);
      return held === 1 ? { value: text } : { token: text };
    },
    async fill(key, token, value, milliseconds) {
      return milliseconds > 0 && (await redis.sluiceFill(key, token, value, Math.ceil(milliseconds))) === 1;
    },
    async invalidate(keys) {
      // Separate commands, sent together: a cluster refuses one command or pipeline over several slots.
      const settled = await Promise.allSettled(keys.map((key) => redis.unlink(key)));
      return settled.map((one) => (one.status === 'fulfilled' ? true : toError(one.reason)));
    },
    async peek(key) {
      const value = redis.hget(key, 'v').catch((cause: Error) => {
        throw new Error(trouble === undefined ? cause.message : `${cause.message}: ${trouble.message}`, {
          cause,
        });
      });
      return (await value) ?? undefined;
    },
    async close() {
      redis.disconnect();
    },
  };
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
