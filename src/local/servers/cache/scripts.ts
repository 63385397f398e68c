/** The two scripts of the cache's client, by the same steps; this stand-in has no Lua. */
import { createHash } from 'node:crypto';
import { fillScript, readScript } from '../../../sinks/cache/commands.ts';
import { type Command, unlimited } from './command.ts';
import { integer, quote, Refusal, wrongCount } from './refusal.ts';
import type { Reply } from './resp.ts';

/** Carries out a command as `redis.call` does: what it refuses ends the script. */
type Call = (name: string, ...args: (Buffer | string | undefined)[]) => Reply;
type Argument = Buffer | undefined;

function read(call: Call, key: Argument, [token, milliseconds]: Buffer[]): Reply {
  const held = call('HGET', key, 'v');
  if (held !== null) return [1, held];
  const current = call('HGET', key, 't');
  if (current !== null) return [0, current];
  call('HSET', key, 't', token);
  call('PEXPIRE', key, milliseconds);
  return [0, token ?? null];
}

function fill(call: Call, key: Argument, [token, value, milliseconds]: Buffer[]): Reply {
  const current = call('HGET', key, 't');
  if (!Buffer.isBuffer(current) || token === undefined || !current.equals(token)) return 0;
  call('DEL', key);
  call('HSET', key, 'v', value);
  call('PEXPIRE', key, milliseconds);
  return 1;
}

const known = new Map([
  [sha1(readScript), read],
  [sha1(fillScript), fill],
]);

/** `carryOut` does one command. Nothing comes between the steps of a script, as none of them waits. */
export function scriptCommands(carryOut: (request: [Buffer, ...Buffer[]]) => Reply): Record<string, Command> {
  const loaded = new Set<string>();
  const call: Call = (name, ...args) => {
    const given = args.map((arg) => {
      if (arg === undefined)
        throw new Refusal('ERR Lua redis lib command arguments must be strings or integers');
      return Buffer.from(arg);
    });
    return carryOut([Buffer.from(name), ...given]);
  };
  const load = (text: Buffer) => {
    const sha = sha1(text);
    if (!known.has(sha))
      throw new Refusal('ERR this stand-in runs only the two scripts of src/sinks/cache/commands.ts');
    loaded.add(sha);
    return sha;
  };
  const run = (sha: string, keys: Buffer[], args: Buffer[]): Reply => {
    const steps = loaded.has(sha) ? known.get(sha) : undefined;
    if (steps === undefined) throw new Refusal('NOSCRIPT No matching script. Please use EVAL.');
    return steps(call, keys[0], args);
  };
  return {
    eval: [
      2,
      unlimited,
      (text, count, ...rest) => {
        const [keys, args] = divide(count, rest);
        return run(load(text), keys, args);
      },
    ],
    evalsha: [
      2,
      unlimited,
      (sha, count, ...rest) => {
        const [keys, args] = sha.length === 40 ? divide(count, rest) : [[], []];
        return run(sha.toString('latin1').toLowerCase(), keys, args);
      },
    ],
    script: [
      1,
      unlimited,
      (action, ...rest) => {
        if (action.toString('latin1').toLowerCase() !== 'load')
          throw new Refusal(`ERR unknown subcommand '${quote(action, 128)}'. Try SCRIPT HELP.`);
        const [text, ...more] = rest;
        if (text === undefined || more.length > 0) throw wrongCount('script|load');
        return Buffer.from(load(text));
      },
    ],
  };
}

/** The keys of a script, and its other arguments. */
function divide(count: Buffer, rest: Buffer[]): [Buffer[], Buffer[]] {
  const keys = integer(count);
  if (keys > rest.length) throw new Refusal("ERR Number of keys can't be greater than number of args");
  if (keys < 0) throw new Refusal("ERR Number of keys can't be negative");
  return [rest.slice(0, keys), rest.slice(keys)];
}

function sha1(text: string | Buffer): string {
  return createHash('sha1').update(text).digest('hex');
}
