/** Reading through the cache. A cache that fails costs time, never an answer. */
import { decodeAttribute, encodeAttribute } from '../../table/attributes.ts';
import type { CachePort } from './port.ts';

export type Cached<Value> = {
  port: CachePort | undefined;
  key: string;
  /** Reads the base table consistently; `undefined` is never cached. */
  read(): Promise<Value | undefined>;
  /** Default 5 minutes; for what can only be read from an index: seconds, for that is its promise. */
  milliseconds?: number;
  /** When the value's item expires, epoch milliseconds: no value outlives it. */
  expiresAt?(value: Value): number | undefined;
  now?: () => number;
};

const defaultMilliseconds = 300_000;

export async function readThrough<Value>(options: Cached<Value>): Promise<Value | undefined> {
  const { port, key, read } = options;
  const held = await port?.read(key).catch(() => undefined);
  const known = held !== undefined && 'value' in held ? fromText(held.value) : undefined;
  if (known !== undefined) return known.value as Value;
  const value = await read();
  if (port !== undefined && value !== undefined && held !== undefined && 'token' in held)
    await fill(port, held.token, value, options).catch(() => false);
  return value;
}

async function fill<Value>(
  port: CachePort,
  token: string,
  value: Value,
  { key, milliseconds = defaultMilliseconds, expiresAt, now = Date.now }: Cached<Value>,
): Promise<void> {
  const rest = (expiresAt?.(value) ?? Number.POSITIVE_INFINITY) - now();
  await port.fill(key, token, toText(value), Math.min(milliseconds, rest));
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
