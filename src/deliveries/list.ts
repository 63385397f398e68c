/** What is parked, as a person wants to see it. */
import { paginateScan } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { decodeImage } from '../table/attributes.ts';
import type { Fields } from '../table/entity.ts';
import { changePrefix, type DeliveryState, holdKey } from './rows.ts';

export type ParkedDelivery = {
  /** The sink that it did not reach; none of a record that cannot be read. */
  sink: string | undefined;
  /** The item, or of a record that cannot be read its event id. */
  item: string;
  /** Log and acts: the change's id; of a record that cannot be read, which of those under its event id. */
  change: string | undefined;
  state: DeliveryState;
  reason: string;
  /** Epoch milliseconds. */
  since: number | undefined;
  attempts: number;
  /** Of a record that cannot be read, the keys of its item. */
  keys?: string;
  /** When it is tried next, epoch milliseconds. */
  due: number | undefined;
  /** Of a view's: another one each time that more is parked. */
  rev?: string;
};

/** Every parked delivery, the oldest first. Payloads are not read. */
export async function listParked({ dynamodb, config }: Connections): Promise<ParkedDelivery[]> {
  const rows: Fields[] = [];
  const names = [
    'pk',
    'sk',
    'sink',
    'item',
    'change',
    'state',
    'reason',
    'firstAt',
    'at',
    'attempts',
    'due',
    'entity',
    'part',
    'recordedAt',
    'keys',
    'rev',
  ];
  const pages = paginateScan(
    { client: dynamodb },
    {
      TableName: config.SLUICE_DELIVERIES_TABLE,
      ConsistentRead: true,
      ProjectionExpression: names.map((_, index) => `#n${index}`).join(', '),
      ExpressionAttributeNames: Object.fromEntries(names.map((name, index) => [`#n${index}`, name])),
    },
  );
  for await (const { Items = [] } of pages) rows.push(...Items.map((image) => decodeImage(image)));
  const holds = new Map(rows.filter(({ sk }) => sk === holdKey).map((row) => [row.pk, row]));
  return rows
    .filter(({ part }) => part === undefined)
    .flatMap((row) => deliveryOf(row, holds.get(row.pk)) ?? [])
    .sort((one, other) => (one.since ?? 0) - (other.since ?? 0));
}

function deliveryOf(row: Fields, hold: Fields | undefined): ParkedDelivery | undefined {
  const [pk, sk] = [String(row.pk), String(row.sk)];
  const isView = sk === holdKey && row.entity !== undefined;
  if (!isView && !sk.startsWith(changePrefix) && !pk.startsWith('record/')) return undefined;
  return {
    sink: text(row.sink),
    item: text(row.item) ?? pk.replace('record/', ''),
    change: text(row.change) ?? (pk.startsWith('record/') ? sk : undefined),
    state: row.state as DeliveryState,
    reason: String(row.reason),
    since: number(row.firstAt) ?? number(row.at) ?? secondsOf(row.recordedAt),
    attempts: number(row.attempts) ?? 0,
    due: row.state === 'waiting' ? number(hold?.due) : undefined,
    ...(isView && { rev: String(row.rev) }),
    ...(typeof row.keys === 'string' && { keys: row.keys }),
  };
}

const secondsOf = (value: unknown) => (typeof value === 'number' && value > 0 ? value * 1000 : undefined);
const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
