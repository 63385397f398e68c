/** Which version a change has, and whether it can be trusted. */
import { othersVersion } from './change.ts';
import type { Fields } from './entity.ts';
import type { Read } from './record.ts';
import type { Table } from './table.ts';

/** An INSERT whose version lies further from its record's time than this was put back or copied by others. */
const farApart = 10 * 60_000;

export function versionOfChange(
  read: Read,
  versionBefore: number | undefined,
  table: Table,
): { version: number; inexact?: string } {
  const { before, after } = read.images;
  const fallback = Math.max(1, Math.round(read.time * 1000));
  if (after === undefined) {
    const version = (versionBefore ?? fallback) + 1;
    return { version, inexact: read.expired ? 'removed by its time to live' : 'deleted past Sluice' };
  }
  const version = versionOf(after.fields, table);
  if (version === undefined) {
    const others = field(after.fields, table.version) !== undefined && !isStamped(after.fields, table);
    return { version: fallback, inexact: others ? othersVersion : 'it has no version' };
  }
  if (before === undefined)
    return {
      version,
      ...(isPutBack(after.fields, version, read, table) && { inexact: 'put back past Sluice' }),
    };
  if (versionBefore === undefined || version > versionBefore) return { version };
  return {
    version,
    inexact: version === versionBefore ? 'changed without a new version' : 'its version went down',
  };
}

/**
 * Sluice inserts an item only as it is born. Any other that carries its mark was put back; and one whose version lies
 * far from its record's time was put back or copied, even as it was at its birth: nobody is to be greeted again.
 */
function isPutBack(after: Fields, version: number, read: Read, table: Table): boolean {
  const mark = field(after, table.born);
  return (mark !== undefined && mark !== version) || Math.abs(version / 1000 - read.time) > farApart;
}

/**
 * The item's version: a whole number above 0 and below 2^53, else none. On an item that was never stamped it is a
 * number of somebody else's, such as a counter that begins at 1 again.
 */
export function versionOf(fields: Fields | undefined, table: Table): number | undefined {
  if (!isStamped(fields, table)) return undefined;
  const version = numberField(fields, table.version);
  return version !== undefined && Number.isSafeInteger(version) && version > 0 ? version : undefined;
}

/** Every write of Sluice and every adoption leave the id of their request. */
function isStamped(fields: Fields | undefined, table: Table): boolean {
  return field(fields, table.request) !== undefined;
}

export function numberField(fields: Fields | undefined, name: string): number | undefined {
  const value = field(fields, name);
  return typeof value === 'number' ? value : undefined;
}

export function field(fields: Fields | undefined, name: string): unknown {
  return fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
}
