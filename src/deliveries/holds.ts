/** Hold rows: they stand while an item has deliveries waiting at a sink, and are the unit of redrive. */
import { randomUUID } from 'node:crypto';
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Connections } from '../connections.ts';
import { decodeImage, encodeItem } from '../table/attributes.ts';
import { expression } from '../table/expression.ts';
import { shortened } from '../table/rowSize.ts';
import { conflicts } from '../table/write/attempt.ts';
import { backoffMilliseconds } from './backoff.ts';
import { queuedRows } from './queued.ts';
import { type HoldRow, holdKey, type ParkedView, queueOf, unitOf } from './rows.ts';

/** How long one redrive has an item to itself, milliseconds: longer than its requests can take. */
export const leaseMilliseconds = 60_000;

/** Which of these items have deliveries waiting at the sink. Read consistently; throws where it cannot be read. */
export async function heldItems(
  { dynamodb, config }: Connections,
  sink: string,
  items: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const held = new Set<string>();
  const TableName = config.SLUICE_DELIVERIES_TABLE;
  const byUnit = new Map(items.map((item) => [unitOf(sink, item), item]));
  let wanted = [...byUnit.keys()].map((pk) => encodeItem({ pk, sk: holdKey }));
  while (wanted.length > 0) {
    const Keys = wanted.slice(0, 100);
    const request = {
      [TableName]: {
        Keys,
        ConsistentRead: true,
        ProjectionExpression: 'pk, #s',
        ExpressionAttributeNames: { '#s': 'state' },
      },
    };
    const reply = await dynamodb.send(new BatchGetItemCommand({ RequestItems: request }), {
      abortSignal: signal,
    });
    for (const image of reply.Responses?.[TableName] ?? []) {
      const { pk, state } = decodeImage(image);
      const item = byUnit.get(String(pk));
      // Refused and dead ones hold nobody.
      if (item !== undefined && state === 'waiting') held.add(item);
    }
    wanted = [...(reply.UnprocessedKeys?.[TableName]?.Keys ?? []), ...wanted.slice(100)];
  }
  return held;
}

type Parking = {
  sink: string;
  item: string;
  state: 'waiting' | 'refused';
  reason: string;
  view?: ParkedView;
};

/** Something was parked for the item: the hold is there from now on, with another `rev`. */
export async function raiseHold(connections: Connections, parking: Parking): Promise<void> {
  // Of a view the highest version must stand; where a higher one is parked already, only the rest is written.
  if (!(await write(connections, parking, true))) await write(connections, parking, false);
}

async function write(
  { dynamodb, config, now }: Connections,
  { sink, item, state, reason, view }: Parking,
  isNewest: boolean,
): Promise<boolean> {
  const unit = unitOf(sink, item);
  const build = expression();
  const name = (attribute: string) => build.name(attribute);
  const first = (attribute: string, value: unknown) =>
    `${name(attribute)} = if_not_exists(${name(attribute)}, ${build.value(value)})`;
  const at = now();
  const sums = [
    ...[first('sink', sink), first('item', item), first('tries', 0)],
    ...[first('firstAt', at), first('firstReason', shortened(reason))],
    // A refusal takes nothing from those that wait; one that waits brings the refused ones along.
    ...(state === 'waiting'
      ? [first('due', at + backoffMilliseconds(1, Math.random()))]
      : [first('state', state)]),
  ];
  const set = {
    rev: randomUUID(),
    lastAt: at,
    reason: shortened(reason),
    // What is parked now has not been tried yet.
    ...(state === 'waiting' && { state, queue: queueOf(sink, item), attempts: 0 }),
    ...(view && isNewest && { entity: view.entity, key: view.key, version: view.version }),
    ...(view && isNewest && { versioned: view.versioned, occurredAt: view.occurredAt }),
  };
  const update = build.update(set, sums);
  const targets =
    view === undefined || view.targets.length === 0
      ? ''
      : ` ADD ${name('targets')} ${build.value(new Set(view.targets))}`;
  const condition =
    view !== undefined && isNewest
      ? `attribute_not_exists(${name('version')}) OR ${name('version')} <= ${build.value(view.version)}`
      : undefined;
  const command = new UpdateItemCommand({
    TableName: config.SLUICE_DELIVERIES_TABLE,
    Key: encodeItem({ pk: unit, sk: holdKey }),
    UpdateExpression: `${update}${targets}`,
    ...(condition && { ConditionExpression: condition }),
    ...build.placeholders(),
  });
  return unlessRefused(conflicts.execute(() => dynamodb.send(command)));
}

/** Gives the hold another `rev`, as if more had been parked, so that nobody drops it unseen; says whether there is one. */
export async function renewHold({ dynamodb, config }: Connections, unit: string): Promise<boolean> {
  const build = expression();
  const command = new UpdateItemCommand({
    TableName: config.SLUICE_DELIVERIES_TABLE,
    Key: encodeItem({ pk: unit, sk: holdKey }),
    UpdateExpression: build.update({ rev: randomUUID() }),
    ConditionExpression: `attribute_exists(${build.name('pk')})`,
    ...build.placeholders(),
  });
  return unlessRefused(conflicts.execute(() => dynamodb.send(command)));
}

/** The items of a sink whose holds are due, the longest waiting first; `before`: epoch milliseconds. */
export async function dueItems(
  connections: Connections,
  sink: string,
  before: number,
  limit: number,
): Promise<string[]> {
  const rows = await queued(connections, sink, before, limit);
  return rows.sort((one, other) => Number(one.due) - Number(other.due)).map(({ item }) => String(item));
}

function queued({ dynamodb, config }: Connections, sink: string, before: number, limit: number) {
  return queuedRows(dynamodb, config.SLUICE_DELIVERIES_TABLE, sink, before, limit);
}

/** Holds of one sink among which the oldest is looked for: the index is sorted by when they are due. */
const mostLookedAt = 4_000;

/** How long the oldest that waits has waited, in seconds; 0 where nothing does. Eventually consistent. */
export async function oldestParked(connections: Connections, sinks: readonly string[]): Promise<number> {
  const pages = await Promise.all(
    sinks.map((sink) => queued(connections, sink, Number.MAX_SAFE_INTEGER, mostLookedAt)),
  );
  const times = pages.flat().map(({ firstAt }) => Number(firstAt));
  return times.length === 0 ? 0 : Math.max(0, Math.round((connections.now() - Math.min(...times)) / 1000));
}

/** Takes the hold, so that nobody else redrives the item; or says that there is none, or that another has it. */
export async function leaseHold(
  { dynamodb, config, now }: Connections,
  unit: string,
  owner: string,
): Promise<HoldRow | 'absent' | 'taken'> {
  const build = expression();
  const [until, pk] = [build.name('leasedUntil'), build.name('pk')];
  const update = build.update({ owner, leasedUntil: now() + leaseMilliseconds });
  const free = `attribute_not_exists(${until}) OR ${until} < ${build.value(now())}`;
  const command = new UpdateItemCommand({
    TableName: config.SLUICE_DELIVERIES_TABLE,
    Key: encodeItem({ pk: unit, sk: holdKey }),
    UpdateExpression: update,
    ConditionExpression: `attribute_exists(${pk}) AND (${free})`,
    ReturnValues: 'ALL_NEW',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    ...build.placeholders(),
  });
  try {
    const { Attributes = {} } = await conflicts.execute(() => dynamodb.send(command));
    return readHold(decodeImage(Attributes));
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    if (error.Item === undefined) return 'absent';
    const found = readHold(decodeImage(error.Item));
    // A lease whose reply was lost, and which the client then took again, meets itself.
    return found.owner === owner ? found : 'taken';
  }
}

/**
 * Gives the hold back, with what has become of it; only its owner can. `asRead`: only if nothing was parked since it
 * was read, for a verdict on what was parked then says nothing of that.
 */
export async function releaseHold(
  { dynamodb, config }: Connections,
  { pk, owner, rev }: HoldRow,
  changes: Partial<Pick<HoldRow, 'state' | 'attempts' | 'tries' | 'due' | 'reason' | 'lastAt' | 'queue'>>,
  asRead = false,
): Promise<boolean> {
  const build = expression();
  const update = build.update({ ...changes, owner: undefined, leasedUntil: undefined });
  const command = new UpdateItemCommand({
    TableName: config.SLUICE_DELIVERIES_TABLE,
    Key: encodeItem({ pk, sk: holdKey }),
    UpdateExpression: update,
    ConditionExpression: [
      `${build.name('owner')} = ${build.value(owner)}`,
      ...(asRead ? [`${build.name('rev')} = ${build.value(rev)}`] : []),
    ].join(' AND '),
    ...build.placeholders(),
  });
  return unlessRefused(conflicts.execute(() => dynamodb.send(command)));
}

/** Takes the hold away, unless something was parked since it was read. */
export async function dropHold(
  { dynamodb, config }: Connections,
  { pk, rev, owner }: HoldRow,
): Promise<boolean> {
  const build = expression();
  const command = new DeleteItemCommand({
    TableName: config.SLUICE_DELIVERIES_TABLE,
    Key: encodeItem({ pk, sk: holdKey }),
    ConditionExpression: `${build.name('rev')} = ${build.value(rev)} AND ${build.name('owner')} = ${build.value(owner)}`,
    ...build.placeholders(),
  });
  return unlessRefused(conflicts.execute(() => dynamodb.send(command)));
}

export function readHold(row: Record<string, unknown>): HoldRow {
  const { entity, key, version, versioned, occurredAt, targets, ...hold } = row;
  const view = {
    entity,
    key,
    version,
    versioned,
    occurredAt,
    targets: [...((targets ?? []) as Set<string>)],
  };
  return { ...hold, ...(entity !== undefined && { view }) } as HoldRow;
}

async function unlessRefused(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
