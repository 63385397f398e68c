/** Addresses that bounced for good or complained: they are mailed no more. Kept by hash, never in the clear. */
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { decodeImage, encodeItem } from '../table/attributes.ts';
import { hash } from '../table/canonical.ts';

export const suppressedPrefix = 'suppressed/';

export const suppressedKey = (address: string) => ({
  pk: `${suppressedPrefix}${hash(address.trim().toLowerCase())}`,
  sk: 'suppressed',
});

export async function suppress(
  { dynamodb, config, now }: Connections,
  address: string,
  why: string,
): Promise<void> {
  const Item = encodeItem({ ...suppressedKey(address), why, at: now() });
  await dynamodb.send(new PutItemCommand({ TableName: config.SLUICE_OUTBOX_TABLE, Item }));
}

/** Why an address is not mailed; nothing where it is. */
export async function whySuppressed(
  { dynamodb, config }: Connections,
  address: string,
): Promise<string | undefined> {
  const Key = encodeItem(suppressedKey(address));
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: config.SLUICE_OUTBOX_TABLE, Key, ConsistentRead: true }),
  );
  return Item && String(decodeImage(Item).why);
}
