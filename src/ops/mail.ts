/** `sluice mail`: the mail that has not gone out and why, and what a person decides about it. */
import { plain } from '../local/live/plain.ts';
import { allowAddress, settleMail } from '../mail/decide.ts';
import type { Decision } from '../mail/decision.ts';
import { listMail, type UnsentMail } from '../mail/list.ts';
import { ageText } from './age.ts';
import { type Aim, connected } from './connected.ts';

type Says = Aim & { say(line: string): void };

export function showMail({
  json,
  now,
  say,
  ...aim
}: Says & { json: boolean; now(): number }): Promise<number> {
  return connected(aim, async (connections) => {
    const { unsent, suppressed } = await listMail(connections);
    if (json) {
      for (const mail of unsent) say(JSON.stringify(mail));
      return 0;
    }
    if (unsent.length === 0) say('All mail has gone out.');
    for (const [heading, mails] of Map.groupBy(unsent, headingOf))
      for (const line of linesOf(heading, mails, now())) say(line);
    const addresses = [...suppressed].map(([why, count]) => `${count} after a ${plain(why)}`);
    if (unsent.length > 0) say('Each of them: sluice mail --json');
    if (addresses.length > 0) say(`addresses that get no mail: ${addresses.join(', ')}`);
    return 0;
  });
}

function headingOf({ state, policy }: UnsentMail): string {
  if (state === 'refused') return 'refused, for good';
  if (state === 'failed') return 'failed, tried again every 15 min until it is too old';
  if (state !== 'unknown') return 'on its way';
  return policy === 'atMostOnce'
    ? 'in doubt, waits for a person (atMostOnce)'
    : 'in doubt, goes again by itself (atLeastOnce)';
}

/** Of each heading; all of it is in the lines of JSON. */
const mostReasons = 5;

function linesOf(heading: string, mails: readonly UnsentMail[], now: number): string[] {
  const [oldest] = mails;
  // A change that has no time has 0.
  const since = (oldest && Date.parse(oldest.occurredAt)) || undefined;
  const reasons = Map.groupBy(mails, ({ refusal, state }) => plain(refusal ?? state, 100));
  const more = reasons.size - mostReasons;
  return [
    `${heading}: ${mails.length}; the oldest of ${ageText(since, now)}`,
    ...[...reasons]
      .slice(0, mostReasons)
      .map(([why, those]) => `  ${those.length} × ${why}, such as ${nameOf(those[0])}`),
    ...(more > 0 ? [`  and ${more} more reasons`] : []),
  ];
}

const nameOf = (mail: UnsentMail | undefined) => mail && `${plain(mail.change, 4_000)} ${plain(mail.email)}`;

type Person = Says & { reason: string; by: string };

export function settleMailByHand({
  change,
  email,
  as,
  reason,
  by,
  say,
  ...aim
}: Person & { change: string; email: string; as: Decision }): Promise<number> {
  return connected(aim, async (connections, where) => {
    const before = await settleMail(connections, { change, email }, as, { by, reason });
    const outcome = {
      sent: 'counts as sent',
      again: 'goes out within minutes, unless email is paused',
      never: 'is never sent',
    }[as];
    say(`${plain(email)} of ${plain(change, 300)} was ${before} in ${where}, and ${outcome}.`);
    return 0;
  });
}

export function allowAddressByHand({
  address,
  reason,
  by,
  say,
  ...aim
}: Person & { address: string }): Promise<number> {
  return connected(aim, async (connections, where) => {
    const wasSuppressed = await allowAddress(connections, address, { by, reason });
    say(
      wasSuppressed
        ? `Sluice mails this address again in ${where}. What was refused meanwhile stays refused.`
        : `This address is not suppressed in ${where}.`,
    );
    if (aim.aws)
      say(
        'SES has a list of its own for the account. An address leaves that by: aws sesv2 delete-suppressed-destination --email-address …',
      );
    return wasSuppressed ? 0 : 1;
  });
}
