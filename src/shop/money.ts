/** Amounts are decimals such as 19.9; they are summed in minor units, since 0.1 + 0.2 is not 0.3. */
import * as z from 'zod/mini';
import { WriteError } from '../table/errors.ts';

const minorDigits = { EUR: 2, USD: 2, GBP: 2, CHF: 2, JPY: 0 } as const;

export type Currency = keyof typeof minorDigits;

export const currency = z.enum(Object.keys(minorDigits) as [Currency, ...Currency[]]);

export const amount = z.number().check(z.nonnegative(), z.maximum(1e9));

export function toMinorUnits(value: number, code: Currency): number {
  const minor = Number(`${value}e${minorDigits[code]}`);
  if (!Number.isSafeInteger(minor))
    throw new WriteError(
      'Invalid',
      `${value} is no amount in ${code}: it has ${minorDigits[code]} decimals.`,
    );
  return minor;
}

export function fromMinorUnits(minor: number, code: Currency): number {
  return Number(`${minor}e-${minorDigits[code]}`);
}
