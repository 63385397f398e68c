/** Item values as plain JSON, for what leaves DynamoDB: search documents, events, templates. */
import { ExactNumber } from './attributes.ts';

/** Sets become lists, binary becomes base64, and a number that JSON readers would bend becomes its text. */
export function plainJson(value: unknown): unknown {
  if (value instanceof ExactNumber) return value.text;
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Set) return [...value].map(plainJson);
  if (Array.isArray(value)) return value.map(plainJson);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plainJson(member)]));
  }
  return value;
}
