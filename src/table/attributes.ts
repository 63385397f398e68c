/**
 * DynamoDB's attribute values and plain JavaScript values, both ways and exactly.
 *
 * | DynamoDB | here |
 * |---|---|
 * | S, BOOL, NULL, L, M | string, boolean, null, array, object |
 * | N | number where it round-trips, else `ExactNumber` |
 * | B | `Uint8Array` (a stream record on Lambda holds base64 text) |
 * | SS, NS, BS | `Set` |
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** An attribute map as the SDK gives it, or a stream record, where binary is base64 text. */
export type Image = Readonly<Record<string, unknown>>;

/** A number that a JavaScript number cannot hold: DynamoDB keeps 38 digits. */
export class ExactNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
  toJSON(): string {
    return this.text;
  }
}

/** Thrown where something is no attribute value, or a value has no attribute value. */
export class AttributeError extends Error {
  override name = 'AttributeError';
}

export function decodeImage(image: Image, path?: string): Record<string, unknown> {
  const item: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(expect(isPlainObject(image), image, path ?? 'image'))) {
    setOwn(item, wellFormed(name, path ?? 'a name'), decodeAttribute(value, within(path, name)));
  }
  return item;
}

export function decodeAttribute(attribute: unknown, path = 'value'): unknown {
  const [type, value] = soleMember(attribute, path);
  const decoder = decoders[type];
  if (decoder === undefined) throw new AttributeError(`${path}: there is no such attribute type`);
  return decoder(value, path);
}

export function encodeItem(
  item: Readonly<Record<string, unknown>>,
  path?: string,
): Record<string, AttributeValue> {
  const image: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(item)) {
    if (value !== undefined) setOwn(image, name, encodeAttribute(value, within(path, name)));
  }
  return image;
}

export function encodeAttribute(value: unknown, path = 'value'): AttributeValue {
  if (value === null) return { NULL: true };
  if (typeof value === 'string') return { S: wellFormed(value, path) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (isNumeric(value)) return { N: numberText(value, path) };
  if (value instanceof Uint8Array) return { B: value };
  if (value instanceof Set) return encodeSet(value, path);
  if (Array.isArray(value))
    return { L: value.map((member, index) => encodeAttribute(member, `${path}[${index}]`)) };
  if (isPlainObject(value)) return { M: encodeItem(value, path) };
  throw new AttributeError(`${path}: no attribute value for ${describe(value)}`);
}

/** A decimal in one form: sign, digits without zeros at either end, exponent. `1.10` and `1.1` are the same. */
export function canonicalNumber(text: string): string {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
  const whole = match?.[2] ?? '';
  const fraction = match?.[3] ?? '';
  if (match === null || whole + fraction === '') throw new AttributeError('a text that is no number');
  const digits = (whole + fraction).replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  if (trimmed === '') return '0';
  const exponent = Number(match[4] ?? 0) - fraction.length + (digits.length - trimmed.length);
  return `${match[1] === '-' ? '-' : ''}${trimmed}e${exponent}`;
}

/** Sets a name as an own property, also one named like a member of Object such as `__proto__`. */
function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

type Decoder = (value: unknown, path: string) => unknown;

const decoders: Readonly<Record<string, Decoder>> = Object.assign(Object.create(null), {
  S: decodeText,
  N: decodeNumber,
  B: decodeBinary,
  BOOL: (value, path) => expect(typeof value === 'boolean', value, path),
  NULL: (value, path) => expect(value === true, value, path) && null,
  SS: (value, path) => new Set(list(value, path).map((member) => decodeText(member, path))),
  NS: (value, path) => new Set(list(value, path).map((member) => decodeNumber(member, path))),
  BS: (value, path) => new Set(list(value, path).map((member) => decodeBinary(member, path))),
  L: (value, path) => list(value, path).map((member, index) => decodeAttribute(member, `${path}[${index}]`)),
  M: (value, path) => decodeImage(value as Image, path),
} satisfies Record<string, Decoder>);

function soleMember(attribute: unknown, path: string): [string, unknown] {
  const members = isPlainObject(attribute)
    ? Object.entries(attribute).filter(([, value]) => value !== undefined)
    : [];
  const [member] = members;
  if (member === undefined || members.length !== 1) {
    throw new AttributeError(
      `${path}: expected an attribute value such as {"S":"text"}, got ${describe(attribute)}`,
    );
  }
  return member;
}

function decodeText(value: unknown, path: string): string {
  return wellFormed(expect(typeof value === 'string', value, path) as string, path);
}

function decodeNumber(value: unknown, path: string): number | ExactNumber {
  const text = expect(typeof value === 'string', value, path) as string;
  let canonical: string;
  try {
    canonical = canonicalNumber(text);
  } catch (cause) {
    throw new AttributeError(`${path}: its text is no number`, { cause });
  }
  const number = Number(text);
  return Number.isFinite(number) && canonicalNumber(String(number)) === canonical
    ? number
    : new ExactNumber(text);
}

function decodeBinary(value: unknown, path: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const text = expect(typeof value === 'string', value, path) as string;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')) {
    throw new AttributeError(`${path}: binary is not base64`);
  }
  return new Uint8Array(bytes);
}

/** DynamoDB holds UTF-8: half a surrogate pair would become another text, and two keys the same one. */
function wellFormed(text: string, path: string): string {
  if (text.isWellFormed()) return text;
  throw new AttributeError(`${path}: a text with half a surrogate pair cannot be stored`);
}

function encodeSet(values: ReadonlySet<unknown>, path: string): AttributeValue {
  const members = [...values];
  if (members.length === 0)
    throw new AttributeError(`${path}: DynamoDB has no empty set; leave the field out`);
  if (members.every((member) => typeof member === 'string'))
    return { SS: members.map((member) => wellFormed(member, path)) };
  if (members.every(isNumeric)) return { NS: members.map((member) => numberText(member, path)) };
  if (members.every((member) => member instanceof Uint8Array)) return { BS: members };
  throw new AttributeError(`${path}: a set holds strings only, numbers only or binaries only`);
}

function isNumeric(value: unknown): value is number | bigint | ExactNumber {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber;
}

function numberText(value: number | bigint | ExactNumber, path: string): string {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new AttributeError(`${path}: DynamoDB has no ${value}`);
  }
  return String(value);
}

function within(path: string | undefined, name: string): string {
  return path === undefined ? name : `${path}.${name}`;
}

function list(value: unknown, path: string): unknown[] {
  return expect(Array.isArray(value), value, path) as unknown[];
}

function expect<Value>(holds: boolean, value: Value, path: string): Value {
  if (!holds) throw new AttributeError(`${path}: ${describe(value)} does not fit its attribute type`);
  return value;
}

/** An object of no class of its own: a Date or a Map would lose what it holds. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The kind of a value, never the value: it may be personal. */
function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (isPlainObject(value)) return `an object with ${Object.keys(value).length} members`;
  return typeof value === 'object' ? 'an object of a class' : `a ${typeof value}`;
}
