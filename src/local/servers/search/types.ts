import { readDate } from './dates.ts';
import type { Cause } from './error.ts';

/** What a field holds once read: dates as milliseconds. */
export type Value = string | number | boolean;
export type FieldType = 'text' | 'keyword' | 'double' | 'long' | 'integer' | 'boolean' | 'date';
type Read = (value: Value) => Value | Cause;

const illegalArgument = (reason: string): Cause => ({ type: 'illegal_argument_exception', reason });

const readText: Read = (value) => String(value);

/** Numbers may come as text, and whole ones lose their fraction, as OpenSearch coerces them. */
const readNumber = (fits: (value: number) => boolean, range: string): Read => {
  const whole = range !== 'double';
  return (value) => {
    const parsed = typeof value === 'boolean' || String(value).trim() === '' ? Number.NaN : Number(value);
    if (!Number.isFinite(parsed)) {
      return {
        type: 'number_format_exception',
        reason: `For input string: ${JSON.stringify(String(value))}`,
      };
    }
    const number = whole ? Math.trunc(parsed) : parsed;
    return fits(number) ? number : illegalArgument(`Value [${value}] is out of range for ${range}`);
  };
};

const readBoolean: Read = (value) => {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false' || value === '') return false;
  return illegalArgument(`Failed to parse value [${value}] as only [true] or [false] are allowed.`);
};

const readDateValue: Read = (value) =>
  readDate(value) ??
  illegalArgument(
    `failed to parse date field [${value}] with format [strict_date_optional_time||epoch_millis]`,
  );

/** How each type reads a value of a document; a cause is why it cannot. */
export const types: Record<FieldType, Read> = {
  text: readText,
  keyword: readText,
  double: readNumber(() => true, 'double'),
  long: readNumber((value) => Math.abs(value) < 2 ** 63, 'a long'),
  integer: readNumber((value) => value >= -(2 ** 31) && value < 2 ** 31, 'an integer'),
  boolean: readBoolean,
  date: readDateValue,
};

export const isCause = (read: Value | Cause): read is Cause => typeof read === 'object';
