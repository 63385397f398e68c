/**
 * The log: JSON on Lambda, readable elsewhere. Only fields of this list are ever written, so that no item data and
 * no secret can slip in with an object.
 */
export const levels = ['debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof levels)[number];

const fieldNames = [
  'reader', // which function took a batch
  'records',
  'changes',
  'unchanged',
  'ignored',
  'inexact',
  'parked',
  'sinks', // counts by sink and state
  'items', // how many items were redriven
  'batches', // how many failed batches were taken up, and were not
  'change', // a change's id
  'correlationId', // the request that caused it
  'kind',
  'sink',
  'email', // an email's name, never its address
  'state',
  'reason',
  'event', // a stream record's id
  'error', // an error's name, never its message
  'places', // where it was thrown
] as const;

export type LogFields = { [Name in (typeof fieldNames)[number]]?: unknown };
export type Log = Record<Level, (message: string, fields?: LogFields) => void>;

type Options = { level: Level; json: boolean; now(): number; write(line: string): void };

export function openLog({ level, json, now, write }: Options): Log {
  const line = json ? jsonLine : readableLine;
  const logAt =
    (at: Level) =>
    (message: string, fields: LogFields = {}) => {
      if (levels.indexOf(at) >= levels.indexOf(level))
        write(line(new Date(now()).toISOString(), at, message, listed(fields)));
    };
  return { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') };
}

function listed(fields: LogFields): [string, unknown][] {
  return fieldNames.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]]));
}

function jsonLine(time: string, level: Level, message: string, fields: [string, unknown][]): string {
  return JSON.stringify({ time, level, message, ...Object.fromEntries(fields) });
}

/** JSON quotes what could break the line or steer a terminal; of marks that it does not know the number is shown. */
function readableLine(time: string, level: Level, message: string, fields: [string, unknown][]): string {
  const shown = fields.map(([name, value]) => `${name}=${visible(JSON.stringify(value))}`);
  return [time.slice(11, 23), level.padEnd(5), message, ...shown].join(' ');
}

function visible(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (mark) => `\\u{${mark.codePointAt(0)?.toString(16)}}`,
  );
}
