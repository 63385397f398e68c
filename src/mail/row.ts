/** An outbox row: one mail for one (change, email). It is put once, and ends as `sent`, `refused` or `unknown`. */
import { hash } from '../table/canonical.ts';
import type { MailPolicy } from '../table/entity.ts';
import type { Row } from '../table/putAbsent.ts';

/**
 * `waiting` → `leased` → `sending` → `sent`. `failed`: this deployment cannot make the mail, another may; it keeps its
 * content, holds nobody and is tried again, until it is too old. `refused`: it can never be sent as it is. `unknown`: it
 * may have gone out; it is settled by what SES reports, else by the email's policy.
 */
export type MailState = 'waiting' | 'leased' | 'sending' | 'sent' | 'failed' | 'refused' | 'unknown';

/** The partitions of the outbox's index are called after it. */
export const mailQueue = 'mail';

export type MailRow = Row & {
  state: MailState;
  change: string;
  entity: string;
  email: string;
  policy: MailPolicy;
  occurredAt: string;
  /** Epoch milliseconds after which it is not sent any more; none where the change has no time. */
  sendBefore?: number;
  /** What the mail's message tag says: reports of SES find the row by it. */
  tag?: string;
  /** Until it is settled: when it is to be looked at next, epoch milliseconds, and the index that says so. */
  due?: number;
  queue?: string;
  /** Gone once settled, like `to`: a settled row keeps no content and no address. */
  item?: Readonly<Record<string, unknown>>;
  to?: string;
  /** A person asked for it by a replay. */
  replay?: true;
  owner?: string;
  /** Epoch milliseconds. */
  leasedUntil?: number;
  messageId?: string;
  /** Once settled: when the row may go, epoch seconds; DynamoDB's time to live reads it. */
  expires?: number;
  refusal?: string;
};

/** Letters, digits, "_" and "-", as a message tag of SES must be. */
export function tagOf(row: Pick<MailRow, 'pk' | 'sk'>): string {
  return hash(`${row.pk}\n${row.sk}`);
}
