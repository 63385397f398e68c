/** Reading through the cache. A cache that fails costs time, never an answer. */
import { decodeAttribute, encodeAttribute } from '../../table/attributes.ts';
import type { CachePort } from './port.ts';

export type Cached<Value> = {
  port: CachePort | undefined;
  /** Whoever reads one key reads the same: readers at one time share what one of them reads. */
  key: string;
  /** Reads the base table consistently; `undefined` is never cached. */
  read(): Promise<Value | undefined>;
  /** At most; default 5 minutes. For what can only be read from an index: seconds, for that is its promise. */
  milliseconds?: number;
  /** When the value's item expires, epoch milliseconds: no value outlives it. */
  expiresAt?(value: Value): number | undefined;
  now?: () => number;
  /** From 0 to 1. */
  random?: () => number;
};

const defaultMilliseconds = 300_000;

/** The part of its time by which a value may end earlier, so that what was filled together does not end together. */
const jitter = 0.1;

/** What one reader has read of the table; as a text where it can be held as one. */
type Loaded = { value: unknown; text: string | undefined };

/**
 * The loads that are under way in this process, by token and key.
 *
 * Whoever begins after a write was told must not be given what was read before it. A key alone could not say whether a
 * load is older than that; its token does. Telling takes the key's token away. So a reader who begins later is given
 * one that was made later, and a load that goes by this token began later still: one may join it. Whoever was given no
 * token, as when the cache is gone, joins nobody.
 */
const underWay = new WeakMap<CachePort, Map<string, Promise<Loaded>>>();

export async function readThrough<Value>(options: Cached<Value>): Promise<Value | undefined> {
  const { port, key, read } = options;
  const held = await port?.read(key).catch(() => undefined);
  if (port === undefined || held === undefined) return read();
  if ('token' in held) return load(port, held.token, options);
  const known = fromText(held.value);
  return known === undefined ? read() : (known.value as Value);
}

async function load<Value>(
  port: CachePort,
  token: string,
  options: Cached<Value>,
): Promise<Value | undefined> {
  const loads = underWay.get(port) ?? new Map<string, Promise<Loaded>>();
  underWay.set(port, loads);
  const name = `${token} ${options.key}`;
  const joined = loads.get(name);
  if (joined !== undefined) return copyOf(await joined) as Value | undefined;
  const own = loadedBy(options.read);
  loads.set(name, own);
  try {
    const { value, text } = await own;
    if (text !== undefined) await fill(port, token, value as Value, text, options).catch(() => false);
    return value as Value | undefined;
  } finally {
    // An error is told to those who waited for it, and to nobody else.
    loads.delete(name);
  }
}

async function loadedBy(read: () => Promise<unknown>): Promise<Loaded> {
  const value = await read();
  try {
    return { value, text: value === undefined ? undefined : toText(value) };
  } catch {
    return { value, text: undefined };
  }
}

/** Its own, as from the cache: what one reader does to it, no other sees. */
function copyOf({ value, text }: Loaded): unknown {
  return text === undefined ? value : fromText(text)?.value;
}

async function fill<Value>(
  port: CachePort,
  token: string,
  value: Value,
  text: string,
  { key, milliseconds = defaultMilliseconds, expiresAt, now = Date.now, random = Math.random }: Cached<Value>,
): Promise<void> {
  const rest = (expiresAt?.(value) ?? Number.POSITIVE_INFINITY) - now();
  await port.fill(key, token, text, Math.min(milliseconds * (1 - jitter * random()), rest));
}

/** Values are held as attribute values in JSON, so that sets, binary and exact numbers come back as they went in. */
export function toText(value: unknown): string {
  return JSON.stringify(encodeAttribute(value), function (this: Record<string, unknown>, name, member) {
    const own = this[name]; // a Buffer has become another object by the time it is `member`
    return own instanceof Uint8Array ? Buffer.from(own).toString('base64') : member;
  });
}

/** The value; nothing where the text is not one, as after a change of the form. */
function fromText(text: string): { value: unknown } | undefined {
  try {
    return { value: decodeAttribute(JSON.parse(text)) };
  } catch {
    return undefined;
  }
}
