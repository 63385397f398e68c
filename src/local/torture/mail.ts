/** Mails received against the outbox rows, by each email's declared policy. */
import { type MailRow, tagOf } from '../../mail/row.ts';
import { rowTag } from '../../mail/ses.ts';
import { planRows } from '../../sinks/email/sink.ts';
import { decodeImage, type Image } from '../../table/attributes.ts';
import type { Change } from '../../table/change.ts';
import { declaredMail, nameOf, receivedMail } from '../proof/email.ts';
import { compareEntries } from '../proof/entries.ts';
import { type Finding, joined, nothing } from '../proof/finding.ts';
import type { SentMessage } from '../servers/mail.ts';

type Parts = {
  /** As the mail server got them, in that order. */
  mails: readonly SentMessage[];
  outbox: readonly Image[];
  /** Every image that an outbox row ever had, in order. */
  history: readonly Image[];
  changes: readonly Change[];
  sender: string;
  /** How many mails can be in doubt that SES was never seen to be asked for: those whose sender was killed. */
  mostUnasked: number;
  /** The tags of those that SES was asked for. */
  asked: ReadonlySet<string>;
};

export type MailVerdict = { finding: Finding; order: string[]; inDoubt: number; repeats: number };

export function compareMail(parts: Parts): MailVerdict {
  const { mails, outbox, history, changes, sender, mostUnasked, asked } = parts;
  const planned = changes.flatMap((change) => planRows(change).map((row) => ({ change, row })));
  const names = new Map(planned.map(({ row }) => [tagOf(row), nameOf(row)]));
  const rows = new Map(outbox.map(rowOf).map((row) => [tagOf(row), row]));
  const copies = Map.groupBy(mails, ({ tags }) => tags[rowTag] ?? '');
  const doubts = doubtsIn(history.map(rowOf));
  const finding = nothing();
  const unasked: string[] = [];
  let inDoubt = 0;
  let repeats = 0;
  for (const { row } of planned) {
    const [name, tag] = [nameOf(row), tagOf(row)];
    const state = rows.get(tag)?.state;
    const count = copies.get(tag)?.length ?? 0;
    const waitsForPerson = state === 'unknown' && row.policy === 'atMostOnce';
    if (waitsForPerson) {
      inDoubt += 1;
      if (!asked.has(tag)) unasked.push(name);
      // SES has reported every mail that came.
      if (count > 0) finding.stale.push(`the outbox has ${name} in doubt, though SES has reported it`);
    } else if (state !== 'sent') finding.missing.push(`the outbox has ${name} ${state ?? 'not at all'}`);
    else if (count === 0)
      finding.missing.push(`the mail ${name} never came, and its row says that it was sent`);
    if (count < 2) continue;
    // Each time that it was in doubt it may have come, and may have been sent again.
    const mayRepeat = row.policy === 'atLeastOnce' && count - 1 <= (doubts.get(tag) ?? 0);
    if (mayRepeat) repeats += count - 1;
    else finding.doubled.push(`the mail ${name} (${row.policy}) came ${count} times`);
  }
  if (unasked.length > mostUnasked)
    for (const name of unasked)
      finding.missing.push(`the outbox has ${name} in doubt, and SES was never asked`);
  const received = mails.map((mail) => receivedMail(mail, names));
  const declared = planned.map(({ change, row }) => declaredMail(change, row, sender));
  const { stale, doubled } = compareEntries('the mailbox', received, declared, true);
  const order = outOfOrder(
    planned.map(({ row }) => row),
    copies,
    mails,
    doubts,
  );
  return { finding: joined([finding, { ...nothing(), stale, doubled }]), order, inDoubt, repeats };
}

function rowOf(image: Image): MailRow {
  return decodeImage(image) as MailRow;
}

/** How often each mail came to be in doubt, by its tag. */
function doubtsIn(history: readonly MailRow[]): Map<string, number> {
  const doubts = new Map<string, number>();
  const states = new Map<string, string>();
  for (const row of history) {
    const tag = tagOf(row);
    if (row.state === 'unknown' && states.get(tag) !== 'unknown') doubts.set(tag, (doubts.get(tag) ?? 0) + 1);
    states.set(tag, row.state);
  }
  return doubts;
}

/** An item's mails go in the order of its versions; one that was ever in doubt holds nobody. */
function outOfOrder(
  rows: readonly MailRow[],
  copies: ReadonlyMap<string, readonly SentMessage[]>,
  mails: readonly SentMessage[],
  doubts: ReadonlyMap<string, number>,
): string[] {
  const arrived = (row: MailRow) => mails.indexOf(copies.get(tagOf(row))?.[0] as SentMessage);
  return [...Map.groupBy(rows, ({ pk }) => pk).values()].flatMap((ofItem) => {
    const sure = ofItem.filter((row) => copies.has(tagOf(row)) && !doubts.has(tagOf(row)));
    const sorted = sure.toSorted((one, other) => (one.sk < other.sk ? -1 : 1));
    return sorted
      .filter((row, index) => index > 0 && arrived(row) < arrived(sorted[index - 1] as MailRow))
      .map((row) => `the mail ${nameOf(row)} came before an older one of its item`);
  });
}
