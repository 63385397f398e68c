/** What a stand-in writes down, and finds again after its process was killed. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openJournal } from '../../src/local/servers/journal.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-journal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Entry = { text: string };

test('without a file it remembers as long as it lives', () => {
  const journal = openJournal<Entry>();
  journal.add({ text: 'one' });
  expect(journal.entries).toEqual([{ text: 'one' }]);
  expect(openJournal<Entry>().entries).toEqual([]);
});

test('a last line that was cut off is forgotten, and what is added next stands on a line of its own', () => {
  const file = join(folder, 'torn.jsonl');
  const first = openJournal<Entry>(file);
  first.add({ text: 'one\nwith a break' });
  first.add({ text: 'zwei, größer' });
  const whole = readFileSync(file, 'utf8');
  for (const torn of ['{"text":"thr', '{', '{"text":"three"}']) {
    appendFileSync(file, torn);
    const second = openJournal<Entry>(file);
    expect(second.entries).toEqual([{ text: 'one\nwith a break' }, { text: 'zwei, größer' }]);
    expect(readFileSync(file, 'utf8')).toBe(whole);
  }
  appendFileSync(file, '{"text":"thr');
  openJournal<Entry>(file).add({ text: 'four' });
  const third = openJournal<Entry>(file);
  expect(third.entries.map(({ text }) => text)).toEqual(['one\nwith a break', 'zwei, größer', 'four']);
});
