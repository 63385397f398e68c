/** The steps of an outbox row, each one conditional write: whoever does not hold the lease can change nothing. */
import { ConditionalCheckFailedException, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { decodeImage, encodeItem } from '../table/attributes.ts';
import { expression } from '../table/expression.ts';
import { daySeconds, retentionDays } from '../table/retention.ts';
import { conflicts } from '../table/write/attempt.ts';
import type { MailRow, MailState } from './row.ts';

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

/** Takes the lease if the row is due: waiting, or leased by somebody whose time is up. */
export async function lease(connections: Connections, row: MailRow, owner: string): Promise<boolean> {
  const now = connections.now();
  return step(connections, row, { state: 'leased', owner, leasedUntil: now + leaseMilliseconds }, (build) => {
    const [state, until] = [build.name('state'), build.name('leasedUntil')];
    const expired = `(${state} = ${build.value('leased')} AND ${until} < ${build.value(now)})`;
    return `${state} = ${build.value('waiting')} OR ${expired}`;
  });
}

/** The owner's next step. `sending` is written before SES is asked: from then on the mail may have gone out. */
export async function advance(
  connections: Connections,
  row: MailRow,
  owner: string,
  from: MailState,
  changes: Partial<MailRow> & { state: MailState },
): Promise<boolean> {
  return step(connections, row, { ...changes, ...kept(connections, changes.state) }, (build) => {
    return `${build.name('owner')} = ${build.value(owner)} AND ${build.name('state')} = ${build.value(from)}`;
  });
}

/** A settled row is kept as long as its change can come again. */
function kept({ now }: Connections, state: MailState): Partial<MailRow> {
  if (state !== 'sent' && state !== 'refused') return {};
  return { expires: Math.floor(now() / 1000) + retentionDays.outboxRows * daySeconds };
}

/** A row left in `sending` by a sender that is gone: nobody knows whether its mail went out. */
export async function giveUpSending(connections: Connections, row: MailRow): Promise<boolean> {
  return step(connections, row, { state: 'unknown' }, (build) => {
    const until = `${build.name('leasedUntil')} < ${build.value(connections.now())}`;
    return `${build.name('state')} = ${build.value('sending')} AND ${until}`;
  });
}

type Condition = (build: ReturnType<typeof expression>) => string;

async function step(
  { dynamodb, config }: Connections,
  row: MailRow,
  changes: Partial<MailRow>,
  condition: Condition,
): Promise<boolean> {
  const build = expression();
  const sets = Object.entries(changes).map(([name, value]) => `${build.name(name)} = ${build.value(value)}`);
  const removes = gone(changes.state).map((name) => build.name(name));
  const command = new UpdateItemCommand({
    TableName: config.SLUICE_OUTBOX_TABLE,
    Key: encodeItem({ pk: row.pk, sk: row.sk }),
    UpdateExpression: `SET ${sets.join(', ')}${removes.length > 0 ? ` REMOVE ${removes.join(', ')}` : ''}`,
    ConditionExpression: condition(build),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    ...build.placeholders(),
  });
  try {
    // A change that is taken again meets its row by a transaction.
    await conflicts.execute(() => dynamodb.send(command));
    return true;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    // A step whose reply was lost, and which the client then repeated, meets itself; whose it was, `owner` tells.
    const found: Record<string, unknown> = decodeImage(error.Item ?? {});
    return Object.entries(changes).every(([name, value]) => found[name] === value);
  }
}

/** What a row loses as it comes to a state: once settled it keeps no content and no address. */
function gone(state: MailState | undefined): string[] {
  if (state === 'sent' || state === 'refused') return ['item', 'to', 'owner', 'leasedUntil'];
  return state === 'waiting' || state === 'unknown' ? ['owner', 'leasedUntil'] : [];
}
