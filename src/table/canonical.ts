/** One text for one meaning: for hashes, and for telling whether two images say the same. */
import { createHash } from 'node:crypto';
import { canonicalNumber, type Image } from './attributes.ts';

/** Any JSON value with its members in order of name. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((member) => canonicalJson(member)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${sorted(members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`))}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** An attribute value whose numbers and sets have one form only. */
export function canonicalAttribute(attribute: unknown): string {
  const [type, value] = Object.entries(Object(attribute)).find(([, member]) => member !== undefined) ?? [
    'NULL',
    true,
  ];
  const canonical = canonicalForms[type];
  return `{"${type}":${canonical === undefined ? canonicalJson(value) : canonical(value as never)}}`;
}

export function canonicalImage(image: Image): string {
  return `{${sorted(Object.entries(image).map(([name, value]) => `${JSON.stringify(name)}:${canonicalAttribute(value)}`))}}`;
}

export function sameAttribute(one: unknown, other: unknown): boolean {
  if (one === undefined || other === undefined) return one === other;
  return canonicalAttribute(one) === canonicalAttribute(other);
}

/** SHA-256 in base64url: 43 characters. */
export function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

const canonicalForms: Readonly<Record<string, (value: never) => string>> = {
  N: (value: string) => `"${canonicalNumber(value)}"`,
  B: (value: string | Uint8Array) => `"${base64(value)}"`,
  SS: (value: string[]) => `[${sorted(value.map((member) => JSON.stringify(member)))}]`,
  NS: (value: string[]) => `[${sorted(value.map((member) => `"${canonicalNumber(member)}"`))}]`,
  BS: (value: (string | Uint8Array)[]) => `[${sorted(value.map((member) => `"${base64(member)}"`))}]`,
  L: (value: unknown[]) => `[${value.map((member) => canonicalAttribute(member)).join(',')}]`,
  M: (value: Image) => canonicalImage(value),
};

function base64(value: string | Uint8Array): string {
  return Buffer.from(typeof value === 'string' ? Buffer.from(value, 'base64') : value).toString('base64');
}

function sorted(texts: string[]): string {
  return texts.sort().join(',');
}
