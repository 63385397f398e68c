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

export async function readThrough<Value>({
  port,
  key,
  read,
  ...options
}: Cached<Value>): Promise<Value | undefined> {
  const held = await port?.read(key).catch(() => undefined);
  if (held !== undefined && 'value' in held) return fromText(held.value) as Value;
  const value = await read();
  if (value !== undefined && held !== undefined) {
    const { milliseconds = defaultMilliseconds, expiresAt, now = Date.now } = options;
    const rest = (expiresAt?.(value) ?? Number.POSITIVE_INFINITY) - now();
    await port?.fill(key, held.token, toText(value), Math.min(milliseconds, rest)).catch(() => false);
  }
  return value;
}

/** Values are held as attribute values in JSON, so that sets, binary and exact numbers come back as they went in. */
export function toText(value: unknown): string {
  return JSON.stringify(encodeAttribute(value), (_, member) => {
    return member instanceof Uint8Array ? Buffer.from(member).toString('base64') : member;
  });
}

function fromText(text: string): unknown {
  return decodeAttribute(JSON.parse(text));
}
