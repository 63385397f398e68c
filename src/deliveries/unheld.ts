/**
 * Parked changes without a hold. Redrive goes by holds, so they would wait for ever. It takes two mishaps to make one:
 * the hold could not be written, or the row was written later than anybody waited for, when the change had arrived by
 * another try. Each waiting change is therefore looked after once, when whoever parked it can no longer be at it.
 */
import { ConditionalCheckFailedException, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { chunk } from '../pipeline/chunk.ts';
import { encodeItem } from '../table/attributes.ts';
import type { Fields } from '../table/entity.ts';
import { expression } from '../table/expression.ts';
import { conflicts } from '../table/write/attempt.ts';
import { raiseHold, renewHold } from './holds.ts';
import { queuedRows } from './queued.ts';
import { changePrefix, queueOf, unitOf } from './rows.ts';
import { rowsUnder } from './rowsUnder.ts';

/** Longer than a Lambda function can run, 15 minutes. */
const lookAfterMilliseconds = 20 * 60_000;
/** Rows that one run looks after: in a long outage there are many, nearly all of them held. */
const mostRows = 1_000;
const atOnce = 10;

const queueName = (sink: string) => `unheld/${sink}`;

/** What a row bears until it was looked after. */
export function lookedAfter(sink: string, item: string, at: number): { queue: string; due: number } {
  return { queue: queueOf(queueName(sink), item), due: at + lookAfterMilliseconds };
}

/** What takes that away. */
export const notLookedAfter = { queue: undefined, due: undefined };

/** Sees to it that each change of the sink that has waited for long has a hold; of very many, of some of them. */
export async function holdUnheld(connections: Connections, sink: string, signal: AbortSignal): Promise<void> {
  const { dynamodb, config, now } = connections;
  const rows = await queuedRows(dynamodb, config.SLUICE_DELIVERIES_TABLE, queueName(sink), now(), mostRows);
  const byItem = Map.groupBy(rows, ({ item }) => String(item));
  if (byItem.size === 0) return;
  for (const part of chunk([...byItem], { count: atOnce, bytes: Number.POSITIVE_INFINITY }, () => 0)) {
    if (signal.aborted) return;
    await Promise.all(
      part.map(async ([item, ofItem]) => {
        // One that is there may be about to go: whoever has leased it may have read the changes before these came.
        if (!(await renewHold(connections, unitOf(sink, item)))) await hold(connections, sink, item);
        for (const row of ofItem) await change(connections, row, notLookedAfter);
      }),
    );
  }
}

/** Without a hold others may have passed the changes of the item, those as well that are not looked after yet. */
async function hold(connections: Connections, sink: string, item: string): Promise<void> {
  const rows = await rowsUnder(connections, unitOf(sink, item));
  const waiting = rows.filter(({ sk, state }) => String(sk).startsWith(changePrefix) && state === 'waiting');
  if (waiting.length === 0) return; // they have arrived meanwhile
  for (const row of waiting) await change(connections, row, { late: true });
  await raiseHold(connections, { sink, item, state: 'waiting', reason: 'its hold was gone' });
}

async function change({ dynamodb, config }: Connections, { pk, sk }: Fields, changes: Fields): Promise<void> {
  const build = expression();
  const command = new UpdateItemCommand({
    TableName: config.SLUICE_DELIVERIES_TABLE,
    Key: encodeItem({ pk, sk }),
    UpdateExpression: build.update(changes),
    ConditionExpression: `attribute_exists(${build.name('pk')})`,
    ...build.placeholders(),
  });
  await conflicts
    .execute(() => dynamodb.send(command))
    .catch((error) => {
      if (!(error instanceof ConditionalCheckFailedException)) throw error; // it has arrived meanwhile
    });
}
