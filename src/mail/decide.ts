/** What a person decides about mail that nothing else settles; the audit trail keeps who, why and what. */
import { type TransactWriteItem, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { decisionRow, type Reason } from '../deliveries/decision.ts';
import { encodeItem } from '../table/attributes.ts';
import { expression } from '../table/expression.ts';
import type { Row } from '../table/putAbsent.ts';
import { conflicts, isConditionFailure } from '../table/write/attempt.ts';
import type { Decision } from './decision.ts';
import { isOneOf, rowsOfItem, stepUpdate } from './outbox.ts';
import type { MailRow, MailState } from './row.ts';
import { suppressedKey } from './suppressed.ts';

/** In which states each can be decided: never while a sender is at it, and only where its content is still there. */
const decidable: Readonly<Record<Decision, readonly MailState[]>> = {
  sent: ['unknown'],
  again: ['unknown', 'failed'],
  never: ['unknown', 'failed', 'waiting'],
};

/** Gives the state that it was in. Throws where there is no such mail, and where this cannot be decided of it. */
export async function settleMail(
  connections: Connections,
  { change, email }: Pick<MailRow, 'change' | 'email'>,
  decision: Decision,
  why: Reason,
): Promise<MailState> {
  const item = change.slice(0, Math.max(0, change.lastIndexOf('/')));
  const rows = item === '' ? [] : await rowsOfItem(connections, item);
  const row = rows.find((one) => one.change === change && one.email === email);
  if (row === undefined)
    throw new Error(`There is no mail ${email} of ${change}. "sluice mail" lists what has not gone out.`);
  const from = decidable[decision];
  if (!from.includes(row.state))
    throw new Error(`This mail is ${row.state}: "${decision}" is for one that is ${from.join(' or ')}.`);
  if (decision === 'again' && row.sendBefore !== undefined && connections.now() > row.sendBefore)
    throw new Error(
      `This mail is too old: it was to go out before ${new Date(row.sendBefore).toISOString()}. Only "sent" and "never" are left.`,
    );
  const trail = decisionRow('mailSettled', row.pk, `${change}/${email}`, connections.now(), {
    ...why,
    sink: 'email',
    as: decision,
    state: row.state,
    ...(row.refusal !== undefined && { refusedFor: row.refusal }),
  });
  const changes = {
    sent: { state: 'sent' },
    again: { state: 'waiting', refusal: 'a person wants it sent again' },
    never: { state: 'refused', refusal: 'a person decided so' },
  } as const;
  const update = stepUpdate(connections, row, changes[decision], (build) => isOneOf(build, [row.state]));
  try {
    await decide(connections, { Update: update }, trail);
  } catch (error) {
    if (!isConditionFailure(error)) throw error;
    throw new Error('Nothing was decided: something became of the mail meanwhile. Look again.', {
      cause: error,
    });
  }
  return row.state;
}

/** Mail goes to this address again. Says whether it was suppressed at all. */
export async function allowAddress(connections: Connections, address: string, why: Reason): Promise<boolean> {
  const key = suppressedKey(address);
  const build = expression();
  const Delete = {
    TableName: connections.config.SLUICE_OUTBOX_TABLE,
    Key: encodeItem(key),
    ConditionExpression: `attribute_exists(${build.name('pk')})`,
    ...build.placeholders(),
  };
  const trail = decisionRow('addressAllowed', key.pk, key.pk, connections.now(), why);
  try {
    await decide(connections, { Delete }, trail);
    return true;
  } catch (error) {
    if (!isConditionFailure(error)) throw error;
    return false;
  }
}

/** What is decided, and who and why, at once. */
async function decide(
  { dynamodb, config }: Connections,
  decided: TransactWriteItem,
  trail: Row,
): Promise<void> {
  const Put = { TableName: config.SLUICE_AUDIT_TABLE, Item: encodeItem(trail) };
  const command = new TransactWriteItemsCommand({ TransactItems: [decided, { Put }] });
  await conflicts.execute(() => dynamodb.send(command));
}
