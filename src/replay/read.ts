/** Everything that recorded changes come in: batches, records by themselves, lists of either, and what S3 was left. */
import { type Entry, ForeignEvent, isStreamRecord, readBatch, readEntry } from '../pipeline/batch.ts';

/** The records in a parsed file, in order. Throws `ForeignEvent` for what holds none. */
export function readRecorded(value: unknown): Entry[] {
  if (Array.isArray(value)) return value.flatMap((member) => readRecorded(member));
  const { Records, payload } = Object(value) as { Records?: unknown; payload?: unknown };
  if (Records !== undefined) return readBatch(value);
  if (isStreamRecord(value)) return [readEntry(value)];
  // What an on-failure destination in S3 holds: the whole batch, as a text.
  if (payload !== undefined) return readRecorded(typeof payload === 'string' ? parse(payload) : payload);
  throw new ForeignEvent(value);
}

/** A file's text: one JSON value, or one on each line. Throws an error that says what is wrong with it. */
export function parse(text: string): unknown {
  const plain = text.replace(/^\uFEFF/, '').trimEnd();
  try {
    return JSON.parse(plain);
  } catch (error) {
    return parseLines(plain) ?? refuse(plain, error);
  }
}

function parseLines(text: string): unknown[] | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length < 2) return undefined;
  try {
    return lines.map((line) => JSON.parse(line));
  } catch {
    return undefined;
  }
}

function refuse(text: string, error: unknown): never {
  if (text.trim() === '') throw new Error('It is empty.');
  const { message } = error as Error;
  const position = Number(/position (\d+)/.exec(message)?.[1]);
  if (/end of JSON input|Unterminated/.test(message) || position >= text.length)
    throw new Error('It is truncated JSON: it ends in the middle of a value.');
  // The parser's own words quote the text, which may be anybody's data: only the place is told.
  const place = /position \d+(?: \(line \d+ column \d+\))?/.exec(message)?.[0];
  throw new Error(`It is no JSON${place === undefined ? '' : `: wrong at ${place}`}.`);
}
