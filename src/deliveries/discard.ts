/** Discarding: a person decides that a parked delivery shall never arrive. The audit trail keeps who and why. */
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { encodeItem } from '../table/attributes.ts';
import { hash } from '../table/canonical.ts';
import { putAbsent, type Row } from '../table/putAbsent.ts';
import type { ParkedDelivery } from './list.ts';
import { changePrefix, holdKey, unitOf } from './rows.ts';
import { rowsUnder } from './rowsUnder.ts';

/** The kind of an audit row that says what was discarded. */
export const discarded = 'discarded';

export async function discard(
  connections: Connections,
  delivery: ParkedDelivery,
  { by, reason }: { by: string; reason: string },
): Promise<void> {
  const { sink, item, change, state } = delivery;
  const content = { sink: sink ?? 'every sink', change, state, refusedFor: delivery.reason };
  const row: Row = {
    pk: item,
    // Beside the changes, whose keys begin with a version; the same delivery could be discarded again one day.
    sk: `${discarded}/${sink ?? ''}/${connections.now()}/${hash(change ?? item)}`,
    hash: hash(JSON.stringify(content)),
    kind: discarded,
    actor: by,
    reason,
    occurredAt: new Date(connections.now()).toISOString(),
    ...content,
  };
  const [answer] = await putAbsent(connections.dynamodb, connections.config.SLUICE_AUDIT_TABLE, [row]);
  if (answer === undefined || answer.state === 'failed')
    throw new Error(`Nothing was discarded: the audit trail could not be written (${answer?.reason}).`);
  await removeDelivery(connections, delivery);
}

/** The delivery's rows: a record with its parts; a change with its parts; a view's hold. */
export async function removeDelivery(
  connections: Connections,
  { sink, item, change }: ParkedDelivery,
): Promise<void> {
  const pk = sink === undefined ? `record/${item}` : unitOf(sink, item);
  const rows = await rowsUnder(connections, pk);
  const head = rows.find((row) => row.change === change && String(row.sk).startsWith(changePrefix));
  const isMeant = ({ sk }: Record<string, unknown>) =>
    sink === undefined || (change === undefined ? sk === holdKey : `${sk}`.startsWith(`${head?.sk}`));
  for (const { sk } of rows.filter(isMeant).reverse())
    await connections.dynamodb.send(
      new DeleteItemCommand({
        TableName: connections.config.SLUICE_DELIVERIES_TABLE,
        Key: encodeItem({ pk, sk }),
      }),
    );
}
