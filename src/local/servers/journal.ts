/** What a stand-in must not forget over a restart. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';

export type Journal<Entry> = { entries: readonly Entry[]; add(entry: Entry): void };

/** Entries in order, each a line of JSON in the file; without a file they live as long as the process. */
export function openJournal<Entry>(file?: string): Journal<Entry> {
  const entries = file === undefined ? [] : readLines<Entry>(file);
  return {
    entries,
    add(entry) {
      if (file !== undefined) appendFileSync(file, `${JSON.stringify(entry)}\n`);
      entries.push(entry);
    },
  };
}

/** A last line that a killed process left unfinished was never answered: it is taken out. */
function readLines<Entry>(file: string): Entry[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) writeFileSync(file, whole);
  return whole
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Entry);
}
