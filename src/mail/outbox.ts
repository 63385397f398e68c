/** The steps of an outbox row, each one conditional write: whoever is not its owner can change nothing. */
import { ConditionalCheckFailedException, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { queuedRows } from '../deliveries/queued.ts';
import { queueOf } from '../deliveries/rows.ts';
import { decodeImage, encodeItem } from '../table/attributes.ts';
import { type Expression, expression } from '../table/expression.ts';
import { daySeconds, retentionDays } from '../table/retention.ts';
import { conflicts } from '../table/write/attempt.ts';
import { type MailRow, type MailState, mailQueue } from './row.ts';

/** How long a lease lasts, milliseconds: longer than one mail takes, however slow SES is. */
const leaseMilliseconds = 30_000;

/** An item's rows in version order, read consistently. */
export async function rowsOfItem({ dynamodb, config }: Connections, item: string): Promise<MailRow[]> {
  const rows: MailRow[] = [];
  let start: QueryCommand['input']['ExclusiveStartKey'];
  do {
    const page = await dynamodb.send(
      new QueryCommand({
        TableName: config.SLUICE_OUTBOX_TABLE,
        KeyConditionExpression: 'pk = :item',
        ExpressionAttributeValues: { ':item': { S: item } },
        ConsistentRead: true,
        ...(start && { ExclusiveStartKey: start }),
      }),
    );
    rows.push(...(page.Items ?? []).map((image) => decodeImage(image) as MailRow));
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  return rows;
}

/** Takes the lease if the row is due: waiting, leased by somebody whose time is up, or to be tried again by now. */
export async function lease(connections: Connections, row: MailRow, owner: string): Promise<boolean> {
  const now = connections.now();
  return step(connections, row, { state: 'leased', ...held(connections, owner) }, (build) => {
    const [state, until] = [build.name('state'), build.name('leasedUntil')];
    const expired = `(${state} = ${build.value('leased')} AND ${until} < ${build.value(now)})`;
    const doubted = `(${state} = ${build.value('unknown')} AND ${build.name('policy')} = ${build.value('atLeastOnce')})`;
    const again = `((${doubted} OR ${state} = ${build.value('failed')}) AND ${build.name('due')} <= ${build.value(now)})`;
    return `${state} = ${build.value('waiting')} OR ${expired} OR ${again}`;
  });
}

/**
 * Written before SES is asked: from then on the mail may have gone out. What came before has taken its time: the lease
 * begins anew.
 */
export async function beginSending(connections: Connections, row: MailRow, owner: string): Promise<boolean> {
  return advance(connections, row, owner, ['leased'], { state: 'sending', ...held(connections, owner) });
}

/** The owner's next step, from one of these states. */
export async function advance(
  connections: Connections,
  row: MailRow,
  owner: string,
  from: readonly MailState[],
  changes: Partial<MailRow> & { state: MailState },
): Promise<boolean> {
  return step(connections, row, changes, (build) => {
    return `${build.name('owner')} = ${build.value(owner)} AND ${isOneOf(build, from)}`;
  });
}

/** What SES reports settles a row in one of these states; says whether it stands so now, by this report or before. */
export async function settleByReport(
  connections: Connections,
  row: MailRow,
  from: readonly MailState[],
  changes: Partial<MailRow> & { state: MailState },
): Promise<boolean> {
  return step(connections, row, changes, (build) => isOneOf(build, from));
}

/** A row left in `sending` by a sender that is gone: nobody knows whether its mail went out. */
export async function giveUpSending(connections: Connections, row: MailRow): Promise<boolean> {
  return step(connections, row, { state: 'unknown' }, (build) => {
    const until = `${build.name('leasedUntil')} < ${build.value(connections.now())}`;
    return `${build.name('state')} = ${build.value('sending')} AND ${until}`;
  });
}

type Condition = (build: Expression) => string;

export function isOneOf(build: Expression, states: readonly MailState[]): string {
  return `${build.name('state')} IN (${states.map((state) => build.value(state)).join(', ')})`;
}

function held({ now }: Connections, owner: string): { owner: string; leasedUntil: number } {
  return { owner, leasedUntil: now() + leaseMilliseconds };
}

async function step(
  connections: Connections,
  row: MailRow,
  changes: Partial<MailRow>,
  condition: Condition,
): Promise<boolean> {
  const command = new UpdateItemCommand({
    ...stepUpdate(connections, row, changes, condition),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  try {
    // A change that is taken again meets its row by a transaction.
    await conflicts.execute(() => connections.dynamodb.send(command));
    return true;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    // A step whose reply was lost, and which the client then repeated, meets itself; whose it was, `owner` tells.
    const found: Record<string, unknown> = decodeImage(error.Item ?? {});
    return Object.entries(changes).every(([name, value]) => found[name] === value);
  }
}

/** A step as DynamoDB is asked for it, by itself or within a transaction. */
export function stepUpdate(
  connections: Connections,
  row: MailRow,
  changes: Partial<MailRow>,
  condition: Condition,
) {
  const build = expression();
  const written = { ...changes, ...next(connections, row, changes) };
  const removed = Object.fromEntries(gone(row, changes.state).map((name) => [name, undefined]));
  return {
    TableName: connections.config.SLUICE_OUTBOX_TABLE,
    Key: encodeItem({ pk: row.pk, sk: row.sk }),
    UpdateExpression: build.update({ ...written, ...removed }),
    ConditionExpression: condition(build),
    ...build.placeholders(),
  };
}

/** How long SES may take to report what became of a mail, milliseconds; then the policy decides. */
const feedbackMilliseconds = 15 * 60_000;

/** How often it is tried whether another deployment can make the mail, milliseconds. */
const mendMilliseconds = 15 * 60_000;

/** How long a definite "not now" is waited for, milliseconds. */
const notNowMilliseconds = 20_000;

/** When the row is to be looked at next; once it is settled, how long it is kept. */
function next(
  { now }: Connections,
  row: MailRow,
  { state, leasedUntil }: Partial<MailRow>,
): Partial<MailRow> {
  if (leasedUntil !== undefined) return { due: leasedUntil };
  // In the index again, too: one that was in doubt has left it.
  if (state === 'waiting') return { due: now() + notNowMilliseconds, queue: queueOf(mailQueue, row.pk) };
  if (state === 'unknown' && row.policy === 'atLeastOnce') return { due: now() + feedbackMilliseconds };
  if (state === 'failed') return { due: now() + mendMilliseconds };
  if (state !== 'sent' && state !== 'refused') return {};
  return { expires: Math.floor(now() / 1000) + retentionDays.outboxRows * daySeconds };
}

/** What a row loses as it comes to a state: once settled it keeps no content and no address, and is never due. */
function gone({ policy }: MailRow, state: MailState | undefined): string[] {
  const settled = ['item', 'to', 'owner', 'leasedUntil', 'due', 'queue'];
  if (state === 'refused') return settled;
  if (state === 'sent') return [...settled, 'refusal']; // why it was in doubt
  // Its owner stays: what SES answered it after all, however late, settles the row.
  if (state === 'unknown') return ['leasedUntil', ...(policy === 'atMostOnce' ? ['due', 'queue'] : [])];
  return state === 'waiting' || state === 'failed' ? ['owner', 'leasedUntil'] : [];
}

/** The items that have rows due, and since when, the longest waiting first. Eventually consistent. */
export async function dueMail(
  { dynamodb, config, now }: Connections,
  limit: number,
): Promise<Map<string, number>> {
  const rows = await queuedRows(dynamodb, config.SLUICE_OUTBOX_TABLE, mailQueue, now(), limit);
  const byItem = Map.groupBy(rows, ({ pk }) => String(pk));
  const since = [...byItem].map(
    ([item, those]) => [item, Math.min(...those.map(({ due }) => Number(due)))] as const,
  );
  return new Map(since.sort(([, one], [, other]) => one - other));
}
