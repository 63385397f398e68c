import { encodeItem } from './attributes.ts';
import type { Row } from './putAbsent.ts';

/** 25 conditional puts a transaction, well under its 4 MB; an item itself holds no more than 400 KB. */
export const rowLimits = { count: 25, bytes: 390_000 };

/** Never less than what DynamoDB counts: names and values as UTF-8, with JSON's own marks on top. */
export function rowSize(row: Row): number {
  const json = JSON.stringify(encodeItem(row), (_, member) => {
    return member instanceof Uint8Array ? Buffer.from(member).toString('base64') : member;
  });
  return Buffer.byteLength(json);
}
