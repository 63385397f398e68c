/** Parked changes of log and acts: each whole, in the order in which they happened. */
import { gunzipSync } from 'node:zlib';
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { decodeImage, encodeItem } from '../table/attributes.ts';
import type { Fields } from '../table/entity.ts';
import { expression } from '../table/expression.ts';
import { gather, shortened } from '../table/rowSize.ts';
import { conflicts } from '../table/write/attempt.ts';
import { changePrefix, type DeliveryState, notLookedAfter } from './rows.ts';
import { someRowsUnder } from './rowsUnder.ts';

/** A parked change. `raw`: the record as it came; missing where a part of it is gone. */
export type ParkedChange = {
  pk: string;
  sk: string;
  sink: string;
  item: string;
  /** The change's id. */
  change: string;
  version: number;
  state: DeliveryState;
  /** Others of its item had passed it when it was parked. */
  late?: true;
  /** A person had asked for it again. */
  replay?: true;
  reason: string;
  /** Epoch milliseconds. */
  at: number;
  raw?: unknown;
  /** The rows that it lies in. */
  parts: string[];
};

/** An item's parked changes in order, read consistently; of very many the first, a page or a little more of them. */
export async function changesUnder(
  connections: Connections,
  unit: string,
): Promise<{ changes: ParkedChange[]; more: boolean }> {
  const isHead = ({ part }: Fields) => part === undefined;
  const { rows, more } = await someRowsUnder(
    connections,
    unit,
    changePrefix,
    (found) => found.filter(isHead).length > 1,
  );
  // Where there are others, parts of the last one may be among those.
  const last = rows.findLastIndex(isHead);
  const whole = more ? rows.slice(0, last) : rows;
  return { changes: gather(whole, 'record').map((row) => readChange(row, whole)), more };
}

function readChange({ record, ...row }: Fields, rows: readonly Fields[]): ParkedChange {
  const parts = rows.map(({ sk }) => String(sk)).filter((sk) => sk.startsWith(`${row.sk}#`));
  return {
    ...(row as Omit<ParkedChange, 'raw' | 'parts'>),
    ...(record instanceof Uint8Array && { raw: JSON.parse(gunzipSync(record).toString()) }),
    parts: [...parts, String(row.sk)],
  };
}

/** It has arrived, or a person has discarded it. The head goes last: where it is, its parts are. */
export async function removeChange(
  { dynamodb, config }: Connections,
  { pk, parts }: ParkedChange,
): Promise<void> {
  for (const sk of parts)
    await dynamodb.send(
      new DeleteItemCommand({ TableName: config.SLUICE_DELIVERIES_TABLE, Key: encodeItem({ pk, sk }) }),
    );
}

/** It was tried and answered once more; gives how often. */
export async function countAttempt(
  { dynamodb, config }: Connections,
  { pk, sk }: ParkedChange,
): Promise<number> {
  const build = expression();
  const update = dynamodb.send(
    new UpdateItemCommand({
      TableName: config.SLUICE_DELIVERIES_TABLE,
      Key: encodeItem({ pk, sk }),
      UpdateExpression: `ADD ${build.name('attempts')} ${build.value(1)}`,
      ConditionExpression: `attribute_exists(${build.name('pk')})`,
      ReturnValues: 'UPDATED_NEW',
      ...build.placeholders(),
    }),
  );
  try {
    return Number(decodeImage((await update).Attributes ?? {}).attempts);
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 0; // somebody has discarded it
    throw error;
  }
}

/** It will not arrive by itself: from now on it holds nobody, and waits for a person. */
export async function settleChange(
  connections: Connections,
  change: ParkedChange,
  state: DeliveryState,
  reason: string,
): Promise<void> {
  await updateRow(connections, change, { state, reason: shortened(reason), ...notLookedAfter });
}

/** Others have passed it since it was parked; says whether that could be written. */
export function markLate(connections: Connections, row: Fields): Promise<boolean> {
  return updateRow(connections, row, { late: true }).catch(() => false);
}

/** Changes a row that is still there; says whether it was. */
export async function updateRow(
  { dynamodb, config }: Connections,
  { pk, sk }: Fields,
  changes: Fields,
): Promise<boolean> {
  const build = expression();
  const command = new UpdateItemCommand({
    TableName: config.SLUICE_DELIVERIES_TABLE,
    Key: encodeItem({ pk, sk }),
    UpdateExpression: build.update(changes),
    ConditionExpression: `attribute_exists(${build.name('pk')})`,
    ...build.placeholders(),
  });
  try {
    await conflicts.execute(() => dynamodb.send(command));
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false; // it has arrived, or somebody discarded it
    throw error;
  }
}
