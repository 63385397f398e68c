/**
 * Parked changes without a hold. Redrive goes by holds, so they would wait for ever. It takes two mishaps to make one:
 * the hold could not be written, or the row was written later than anybody waited for, when the change had arrived by
 * another try. Each waiting change is therefore looked after once, when whoever parked it can no longer be at it.
 */
import { ConditionalCheckFailedException, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { encodeItem } from '../table/attributes.ts';
import type { Fields } from '../table/entity.ts';
import { expression } from '../table/expression.ts';
import { heldItems, raiseHold } from './holds.ts';
import { queuedRows } from './queued.ts';
import { queueOf } from './rows.ts';

/** Longer than a Lambda function can run, 15 minutes. */
const lookAfterMilliseconds = 20 * 60_000;
const pageSize = 400;

const queueName = (sink: string) => `unheld/${sink}`;

/** What a row bears until it was looked after. */
export function lookedAfter(sink: string, item: string, at: number): { queue: string; due: number } {
  return { queue: queueOf(queueName(sink), item), due: at + lookAfterMilliseconds };
}

/** What takes that away. */
export const notLookedAfter = { queue: undefined, due: undefined };

/** Sees to it that each change of the sink that has waited for long has a hold. */
export async function holdUnheld(connections: Connections, sink: string, signal: AbortSignal): Promise<void> {
  const { dynamodb, config, now } = connections;
  const seen = new Set<string>();
  while (!signal.aborted) {
    const found = await queuedRows(
      dynamodb,
      config.SLUICE_DELIVERIES_TABLE,
      queueName(sink),
      now(),
      pageSize,
    );
    const unseen = found.filter(({ pk, sk }) => !seen.has(`${pk}\n${sk}`));
    if (unseen.length === 0) return;
    for (const [item, rows] of Map.groupBy(unseen, (row) => String(row.item))) {
      if (signal.aborted) return;
      await holdItem(connections, sink, item, rows, signal);
      for (const { pk, sk } of rows) seen.add(`${pk}\n${sk}`);
    }
  }
}

async function holdItem(
  connections: Connections,
  sink: string,
  item: string,
  rows: readonly Fields[],
  signal: AbortSignal,
): Promise<void> {
  const isHeld = (await heldItems(connections, sink, [item], signal)).has(item);
  // Without one, others may have passed it.
  if (!isHeld) for (const row of rows) await change(connections, row, { late: true });
  // One that is there may be about to go: whoever holds it can have read the changes before this one was among them.
  await raiseHold(connections, { sink, item, state: 'waiting', reason: 'it has waited for long' });
  for (const row of rows) await change(connections, row, notLookedAfter);
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
  await dynamodb.send(command).catch((error) => {
    if (!(error instanceof ConditionalCheckFailedException)) throw error; // it has arrived meanwhile
  });
}
