/** Mail received against the changes: one for each (change, email) that the entities declare, to the right address. */
import { tagOf } from '../../mail/ses.ts';
import { planRows } from '../../sinks/email/sink.ts';
import type { Change } from '../../table/change.ts';
import { counted, type Finding, nothing } from './finding.ts';

/** A mail as the mail server got it: its row's tag and its recipients. */
export type ReceivedMail = { tag: string | undefined; to: readonly string[] };

export function compareEmail(received: readonly ReceivedMail[], changes: readonly Change[]): Finding {
  const finding = nothing();
  const rows = changes.flatMap(planRows);
  const expected = new Map(rows.map((row) => [tagOf(row), row]));
  const times = counted(received.map(({ tag }) => tag ?? ''));
  for (const [tag, { change, email }] of expected) {
    const count = times.get(tag) ?? 0;
    if (count === 0) finding.missing.push(`no mail ${email} for ${change}`);
    if (count > 1) finding.doubled.push(`${count} mails ${email} for ${change}`);
  }
  for (const { tag, to } of received) {
    const row = expected.get(tag ?? '');
    if (row === undefined) finding.doubled.push('a mail that no change caused');
    else if (to.length !== 1 || to[0] !== row.to)
      finding.stale.push(`mail ${row.email} for ${row.change} went elsewhere`);
  }
  return finding;
}
