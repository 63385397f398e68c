/** Mail that has not gone out, as a person wants to see it: never with its content or its address. */
import { paginateScan } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { decodeImage, encodeItem } from '../table/attributes.ts';
import type { MailRow } from './row.ts';
import { suppressedPrefix } from './suppressed.ts';

const shown = [
  'change',
  'email',
  'state',
  'policy',
  'refusal',
  'occurredAt',
  'sendBefore',
  'due',
] as const satisfies (keyof MailRow)[];

export type UnsentMail = Pick<MailRow, (typeof shown)[number]>;

export type MailList = {
  /** The oldest first. */
  unsent: UnsentMail[];
  /** How many addresses are suppressed, by why: `bounce`, `complaint`. */
  suppressed: ReadonlyMap<string, number>;
};

/** Reads the whole outbox: sent mail stays in it for its retention. */
export async function listMail({ dynamodb, config }: Connections): Promise<MailList> {
  const names = ['pk', 'why', ...shown];
  const state = `#n${names.indexOf('state')}`;
  const pages = paginateScan(
    { client: dynamodb },
    {
      TableName: config.SLUICE_OUTBOX_TABLE,
      ConsistentRead: true,
      ProjectionExpression: names.map((_, index) => `#n${index}`).join(', '),
      // What is suppressed has no state.
      FilterExpression: `attribute_not_exists(${state}) OR ${state} <> :sent`,
      ExpressionAttributeNames: Object.fromEntries(names.map((name, index) => [`#n${index}`, name])),
      ExpressionAttributeValues: encodeItem({ ':sent': 'sent' }),
    },
  );
  const unsent: UnsentMail[] = [];
  const suppressed = new Map<string, number>();
  for await (const { Items = [] } of pages)
    for (const { pk, why, ...row } of Items.map((image) => decodeImage(image)))
      if (String(pk).startsWith(suppressedPrefix))
        suppressed.set(String(why), (suppressed.get(String(why)) ?? 0) + 1);
      else unsent.push(row as UnsentMail);
  unsent.sort((one, other) => one.occurredAt.localeCompare(other.occurredAt));
  return { unsent, suppressed };
}
