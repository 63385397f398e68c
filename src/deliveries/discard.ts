/** Discarding: a person decides that a parked delivery shall never arrive. The audit trail keeps who and why. */
import {
  DeleteItemCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { encodeItem } from '../table/attributes.ts';
import type { Fields } from '../table/entity.ts';
import { expression } from '../table/expression.ts';
import type { Row } from '../table/putAbsent.ts';
import { decisionRow, type Reason } from './decision.ts';
import type { ParkedDelivery } from './list.ts';
import { holdKey, unitOf } from './rows.ts';
import { rowsUnder } from './rowsUnder.ts';

export async function discard(
  connections: Connections,
  delivery: ParkedDelivery,
  why: Reason,
): Promise<void> {
  const { sink, item, change, state } = delivery;
  const row = decisionRow('discarded', item, change ?? item, connections.now(), {
    ...why,
    sink: sink ?? 'every sink',
    state,
    refusedFor: delivery.reason,
  });
  await removeDelivery(connections, delivery, row);
}

/**
 * Takes a delivery's rows away, and writes `row` into the audit trail with it. Throws where more was parked meanwhile
 * than was listed: that was never looked at.
 */
export async function removeDelivery(
  connections: Connections,
  { sink, item, change, rev }: ParkedDelivery,
  row?: Row,
): Promise<void> {
  const pk = sink === undefined ? `record/${item}` : unitOf(sink, item);
  const rows = await rowsUnder(connections, pk);
  const isHead = (one: Fields) =>
    one.part === undefined &&
    (sink === undefined
      ? one.sk === change
      : change === undefined
        ? one.sk === holdKey
        : one.change === change);
  const head = rows.find(isHead);
  if (head === undefined) throw new Error(`${item} is not parked any more.`);
  await takeHead(connections, { pk, sk: String(head.sk) }, rev, row);
  for (const { sk, part } of rows)
    if (part !== undefined && String(sk).startsWith(`${head.sk}#`)) await removeRow(connections, { pk, sk });
}

async function takeHead(
  { dynamodb, config }: Connections,
  key: { pk: string; sk: string },
  rev: string | undefined,
  row: Row | undefined,
): Promise<void> {
  const build = expression();
  const asListed =
    rev === undefined
      ? `attribute_exists(${build.name('pk')})`
      : `${build.name('rev')} = ${build.value(rev)}`;
  const Delete = {
    TableName: config.SLUICE_DELIVERIES_TABLE,
    Key: encodeItem(key),
    ConditionExpression: asListed,
    ...build.placeholders(),
  };
  const Put = row && { TableName: config.SLUICE_AUDIT_TABLE, Item: encodeItem(row) };
  try {
    await dynamodb.send(
      new TransactWriteItemsCommand({ TransactItems: [{ Delete }, ...(Put ? [{ Put }] : [])] }),
    );
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    throw new Error('Nothing was discarded: more was parked meanwhile, or another is at it. Look again.', {
      cause: error,
    });
  }
}

async function removeRow({ dynamodb, config }: Connections, key: Fields): Promise<void> {
  const TableName = config.SLUICE_DELIVERIES_TABLE;
  await dynamodb.send(new DeleteItemCommand({ TableName, Key: encodeItem(key) }));
}
