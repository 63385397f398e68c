/** What is asked of Redis: each command and each script is about one key, so a cluster takes them. */
import type { Redis } from 'iovalkey';

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

export const scripts = {
  sluiceRead: { lua: readScript, numberOfKeys: 1 },
  sluiceFill: { lua: fillScript, numberOfKeys: 1 },
};

export type Commands = Pick<Redis, 'hget' | 'unlink'> & {
  sluiceRead(key: string, token: string, milliseconds: number): Promise<[number, string]>;
  sluiceFill(key: string, token: string, value: string, milliseconds: number): Promise<number>;
};

export type Client = {
  run<Value>(command: (redis: Commands) => Promise<Value>): Promise<Value>;
  /** Where commands have failed: whether there is a server that does answer. */
  isPartly(): Promise<boolean>;
  disconnect(): void;
};

/** Is told what is wrong with the connection, and, with nothing, that it is well again. */
export type Told = (trouble?: Error) => void;
