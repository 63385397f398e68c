/** How fast redrive was when it last brought anything home: what the time to drain is estimated by. */
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { decodeImage, encodeItem } from '../table/attributes.ts';

const key = { pk: 'redrive', sk: 'last' };

export async function keepRate(
  { dynamodb, config }: Connections,
  run: { items: number; milliseconds: number },
): Promise<void> {
  const Item = encodeItem({ ...key, ...run });
  await dynamodb.send(new PutItemCommand({ TableName: config.SLUICE_DELIVERIES_TABLE, Item }));
}

/** Milliseconds an item; nothing where redrive has never brought anything home. */
export async function knownRate({ dynamodb, config }: Connections): Promise<number | undefined> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: config.SLUICE_DELIVERIES_TABLE, Key: encodeItem(key) }),
  );
  if (Item === undefined) return undefined;
  const { items, milliseconds } = decodeImage(Item);
  return Number(milliseconds) / Math.max(1, Number(items));
}
