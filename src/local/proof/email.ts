/**
 * Mail against the changes: for each (change, email) that the entities declare one mail, to the right address, that
 * says what its template says; and a row in the outbox that knows that it was sent, and has forgotten the rest.
 */
import { render } from '../../mail/render.ts';
import type { MailRow } from '../../mail/row.ts';
import { tagOf } from '../../mail/row.ts';
import { rowTag } from '../../mail/ses.ts';
import { suppressedPrefix } from '../../mail/suppressed.ts';
import { planRows } from '../../sinks/email/sink.ts';
import { decodeImage, type Image } from '../../table/attributes.ts';
import type { Change } from '../../table/change.ts';
import type { SentMessage } from '../servers/mail.ts';
import { compareEntries, type Entry } from './entries.ts';
import { type Finding, joined, nothing } from './finding.ts';

type Parts = {
  /** As the mail server got them. */
  mails: readonly SentMessage[];
  outbox: readonly Image[];
  changes: readonly Change[];
  sender: string;
};

export function compareEmail({ mails, outbox, changes, sender }: Parts): Finding {
  const planned = changes.flatMap((change) => planRows(change).map((row) => ({ change, row })));
  const names = new Map(planned.map(({ row }) => [tagOf(row), nameOf(row)]));
  const rows = outbox.map((image) => decodeImage(image) as MailRow);
  const all = rows.filter(({ pk }) => !pk.startsWith(suppressedPrefix));
  const known = new Set(changes.map(({ id }) => id));
  const brought = all.filter(({ replay, change }) => replay === true && !known.has(change));
  const broughtTags = new Set(brought.map(tagOf));
  const own = mails.filter(({ tags }) => !broughtTags.has(tags[rowTag] ?? ''));
  const received = own.map((mail) => receivedMail(mail, names));
  const declared = planned.map(({ change, row }) => declaredMail(change, row, sender));
  const held = all.filter((row) => !brought.includes(row)).map(heldRow);
  const settled = planned.map(({ row }) => settledRow(row, mails));
  return joined([
    compareEntries('the mailbox', received, declared, false),
    compareEntries('the outbox', held, settled, false),
    { ...nothing(), replayed: brought.length + mails.length - own.length },
  ]);
}

export function nameOf({ change, email }: MailRow): string {
  return `${change}/${email}`;
}

export function declaredMail({ entity }: Change, row: MailRow, from: string): Entry {
  const template = entity.emails[row.email]?.template;
  const content = template && render(template, row.item ?? {});
  return { id: nameOf(row), fields: { from, to: [row.to], others: [], ...content } };
}

export function receivedMail(mail: SentMessage, names: ReadonlyMap<string, string>): Entry {
  const { source: from, to, cc, bcc, replyTo, subject, text, html, tags } = mail;
  return {
    id: names.get(tags[rowTag] ?? '') ?? `a mail with the tag ${tags[rowTag]}`,
    fields: { from, to, others: [...cc, ...bcc, ...replyTo], subject, text, html },
  };
}

/** Whether a replay asked for it first is no part of what must be; when the row may go cannot be foretold. */
function heldRow({ replay, expires, ...row }: MailRow): Entry {
  return { id: nameOf(row as MailRow), fields: row };
}

/** Whatever else a row would still hold is one difference more. */
function settledRow({ item, to, due, queue, ...row }: MailRow, mails: readonly SentMessage[]): Entry {
  const mail = mails.find(({ tags }) => tags[rowTag] === tagOf(row));
  return { id: nameOf(row), fields: { ...row, state: 'sent', messageId: mail?.messageId } };
}
