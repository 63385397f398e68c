import { type Command, unlimited } from './command.ts';
import { integer, quote, Refusal, wrongCount } from './refusal.ts';

/** `until` is infinite where nobody set an end. */
type Hash = { fields: Map<string, Buffer>; until: number };

const lastInstant = 2 ** 63 - 1;

/** The commands on keys. Each key is a hash: there is nothing here that makes it anything else. */
export function hashCommands(now: () => number): Record<string, Command> {
  const hashes = new Map<string, Hash>();
  const find = (key: Buffer) => {
    const hash = hashes.get(nameOf(key));
    if (hash === undefined || hash.until > now()) return hash;
    hashes.delete(nameOf(key));
    return undefined;
  };
  const remove = (...keys: Buffer[]) =>
    keys.filter((key) => find(key) !== undefined && hashes.delete(nameOf(key))).length;
  const count = (...keys: Buffer[]) => keys.filter((key) => find(key) !== undefined).length;

  const set = (key: Buffer, ...fieldsAndValues: Buffer[]) => {
    if (fieldsAndValues.length % 2 === 1) throw wrongCount('hset');
    const hash = find(key) ?? { fields: new Map<string, Buffer>(), until: Number.POSITIVE_INFINITY };
    const before = hash.fields.size;
    for (const [index, value] of fieldsAndValues.entries()) {
      const field = fieldsAndValues[index - 1];
      // A copy: the value is a part of the whole packet that it came in.
      if (index % 2 === 1 && field !== undefined) hash.fields.set(nameOf(field), Buffer.from(value));
    }
    hashes.set(nameOf(key), hash);
    return hash.fields.size - before;
  };

  const expire = (key: Buffer, milliseconds: Buffer, option?: Buffer) => {
    if (option !== undefined) throw new Refusal(`ERR Unsupported option ${quote(option, option.length)}`);
    const until = now() + integer(milliseconds);
    if (until > lastInstant) throw new Refusal("ERR invalid expire time in 'pexpire' command");
    const hash = find(key);
    if (hash === undefined) return 0;
    hash.until = until;
    return 1;
  };

  const remaining = (key: Buffer) => {
    const hash = find(key);
    if (hash === undefined) return -2;
    return hash.until === Number.POSITIVE_INFINITY ? -1 : hash.until - now();
  };

  const clear = (mode?: Buffer) => {
    if (mode !== undefined && !/^a?sync$/i.test(mode.toString())) throw new Refusal('ERR syntax error');
    hashes.clear();
    return 'OK';
  };

  return {
    hget: [2, 2, (key, field) => find(key)?.fields.get(nameOf(field)) ?? null],
    hset: [3, unlimited, set],
    del: [1, unlimited, remove],
    unlink: [1, unlimited, remove],
    exists: [1, unlimited, count],
    pexpire: [2, unlimited, expire],
    pttl: [1, 1, remaining],
    flushall: [0, unlimited, clear],
  };
}

/** A text with one character for each byte, as a Map compares only texts. */
const nameOf = (bytes: Buffer) => bytes.toString('latin1');
