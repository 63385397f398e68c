/** One line for each change: which item, what happened to it, and what that caused in each sink. */
import { styleText } from 'node:util';
import type { Outcome } from '../../pipeline/report.ts';
import { plain } from './plain.ts';

const sinkNames = ['search', 'cache', 'audit', 'email', 'bus'];
const marks = { insert: '+', modify: '~', remove: '-' } as const;
const colours = { insert: 'green', modify: 'yellow', remove: 'red' } as const;

/** What both readers have said of one change. */
export function changeLine({ item, kind, inexact, sinks }: Outcome): string {
  const caused = sinkNames.map((sink) => resultText(sink, sinks[sink] ?? {}));
  const mark = styleText(colours[kind], marks[kind]);
  return `  ${mark} ${plain(item, 46).padEnd(46)} ${caused.join('')}${inexact ? 'inexact' : ''}`.trimEnd();
}

/** A number where something was written, a word where not; padded before it is coloured, since colours have length. */
function resultText(sink: string, states: Outcome['sinks'][string]): string {
  const { applied = 0, repeated = 0, superseded = 0, failed = 0, waiting = 0, refused = 0 } = states;
  const cell = (text: string) => `${sink} ${text}`.padEnd(14);
  if (failed > 0) return styleText('red', cell('FAILED'));
  if (refused > 0) return styleText('red', cell('refused'));
  if (waiting > 0) return styleText('yellow', cell('parked'));
  if (applied > 0) return cell(`${applied}`);
  if (repeated + superseded > 0) return cell(superseded > 0 ? 'newer' : 'known');
  return styleText('dim', cell('·'));
}
