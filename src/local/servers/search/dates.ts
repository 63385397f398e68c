const DATE =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(?:(\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?$/;

/**
 * Milliseconds of `strict_date_optional_time||epoch_millis`, OpenSearch's default format. A time that is
 * left out is the day's first moment, or its last: `lte: "2024-01-01"` includes that whole day. A day or
 * month left out is the first in both cases, as the real server has it.
 */
export function readDate(value: unknown, edge: 'first' | 'last' = 'first'): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.trunc(value) : undefined;
  if (typeof value !== 'string') return undefined;
  const parts = DATE.exec(value);
  if (parts === null) return /^-?\d+$/.test(value) ? Number(value) : undefined;
  const last = edge === 'last';
  const part = (at: number, otherwise: number) => Number(parts[at] ?? otherwise);
  const [year, month, day] = [part(1, 0), part(2, 1), part(3, 1)];
  const [hour, minute, second] = [part(4, last ? 23 : 0), part(5, last ? 59 : 0), part(6, last ? 59 : 0)];
  const millisecond = parts[7] === undefined ? (last ? 999 : 0) : Number(parts[7].padEnd(3, '0').slice(0, 3));
  const possible =
    month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month) && hour < 24 && minute < 60;
  if (!possible || second > 59) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second, millisecond) - offsetOf(parts[8]);
}

const daysIn = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();

function offsetOf(zone: string | undefined): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone ?? '') ?? [];
  const size = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
  return sign === '-' ? -size : size;
}
