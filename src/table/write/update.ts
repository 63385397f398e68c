/** An update under the optimistic lock: it names the version it has seen. */
import { ConditionalCheckFailedException, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { encodeItem } from '../attributes.ts';
import type { Entity, Fields } from '../entity.ts';
import { WriteError } from '../errors.ts';
import { expression } from '../expression.ts';
import { indexAttributes, keyAttributes, keyOf } from '../keys.ts';
import { getStored } from '../read.ts';
import { type By, epochSeconds, type Store } from '../store.ts';
import { type Found, readStored, type Stored, toFound } from '../stored.ts';
import { attempt, mayBeApplied } from './attempt.ts';
import { isLive } from './conditions.ts';
import { inputHash, requestsKept, stamps, withRequest } from './stamps.ts';

/** The fields to set; one set to `undefined` is taken away. */
export type Changes<Item> = { readonly [Field in keyof Item]?: Item[Field] | undefined };

export async function update<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  key: Fields,
  version: number,
  changes: Changes<Item>,
  by: By,
): Promise<Found<Item>> {
  const what = `Update ${entity.name}`;
  const stored = await getStored(store, keyOf(entity, key));
  if (stored?.live && stored.requests.includes(by.request)) return toFound(entity, store.table, stored);
  const seen = mustBeLive(what, stored);
  if (seen.version !== version) throw stale(what, version, seen.version);
  const command = new UpdateItemCommand(planUpdate(store, entity, seen, version, changes, by));
  try {
    const reply = await attempt(what, command, () => store.dynamodb.send(command));
    return toFound(entity, store.table, readStored(store.table, reply.Attributes ?? {}, epochSeconds(store)));
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const found = error.Item && readStored(store.table, error.Item, epochSeconds(store));
    return answerFailedLock(store, entity, what, found, { version, by, lost: mayBeApplied(error) });
  }
}

function planUpdate<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  seen: Stored,
  version: number,
  changes: Changes<Item>,
  by: By,
) {
  const { table } = store;
  const before = toFound(entity, table, seen).item;
  const parsed = entity.parse(withoutUndefined({ ...before, ...changes }));
  if ('misfit' in parsed) throw new WriteError('Invalid', `Update ${entity.name}: ${parsed.misfit}`);
  const unknown = Object.keys(changes).find((name) => !Object.hasOwn(entity.schema.shape, name));
  if (unknown !== undefined)
    throw new WriteError('Invalid', `Update ${entity.name}: it has no field "${unknown}".`);
  checkSteps(entity, before, parsed.item);
  const key = keyOf(entity, parsed.item);
  const old = keyOf(entity, before);
  if (key.pk !== old.pk || key.sk !== old.sk) {
    throw new WriteError(
      'Invalid',
      `Update ${entity.name}: a field of the key cannot change; create another item.`,
    );
  }
  const attributes: Record<string, unknown> = {
    ...Object.fromEntries(Object.keys(changes).map((name) => [name, parsed.item[name]])),
    ...indexAttributes(entity, table, parsed.item),
    ...stamps(table, by, inputHash(changes)),
    [table.requests]: withRequest(seen, by),
    [table.version]: version + 1,
  };
  const build = expression();
  const condition = `${isLive(store, build)} AND ${build.name(table.version)} = ${build.value(version)}`;
  return {
    TableName: store.tableName,
    Key: encodeItem(keyAttributes(table, key)),
    UpdateExpression: updateExpression(attributes, build),
    ConditionExpression: condition,
    ReturnValues: 'ALL_NEW' as const,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    ...build.placeholders(),
  };
}

/** Only what changes is written: attributes that the schema does not know stay as they are. */
function updateExpression(attributes: Record<string, unknown>, build: ReturnType<typeof expression>): string {
  const set = Object.entries(attributes).filter(([, value]) => value !== undefined);
  const remove = Object.keys(attributes).filter((name) => attributes[name] === undefined);
  const sets = set.map(([name, value]) => `${build.name(name)} = ${build.value(value)}`).join(', ');
  const removes = remove.map((name) => build.name(name)).join(', ');
  return `SET ${sets}${removes === '' ? '' : ` REMOVE ${removes}`}`;
}

function checkSteps(entity: Entity, before: Fields, after: Fields): void {
  for (const [field, steps] of Object.entries(entity.steps)) {
    const [from, to] = [String(before[field]), String(after[field])];
    const allowed = steps[from];
    if (from === to || allowed === undefined || allowed.includes(to)) continue;
    throw new WriteError(
      'IllegalStep',
      `${entity.name}: ${field} cannot go from ${from} to ${to}; from ${from} it goes to ${allowed.join(' or ') || 'nothing'}.`,
    );
  }
}

export function mustBeLive(what: string, stored: Stored | undefined): Stored {
  if (stored === undefined) throw new WriteError('NotFound', `${what}: there is none with this key.`);
  if (!stored.live) throw new WriteError('Removed', `${what}: it was removed.`);
  if (stored.version === undefined) {
    throw new WriteError('Invalid', `${what}: the item has no version; it was not written through Sluice.`);
  }
  return stored;
}

/**
 * A lost reply is not a conflict: the write looks for its own request on the item. Where so many others have
 * written since that its id may have been pushed out, the answer is `Unknown`, never `StaleVersion`.
 */
export function answerFailedLock<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  what: string,
  found: Stored | undefined,
  lock: { version: number; by: By; lost: boolean },
): Found<Item> {
  const mine = found?.requests.includes(lock.by.request) === true;
  if (mine && found.live) return toFound(entity, store.table, found);
  if (!mine && lock.lost && mayBePushedOut(found, lock.version)) {
    throw new WriteError(
      'Unknown',
      `${what}: a reply was lost, and too many others have written since to tell what happened.`,
    );
  }
  const live = mustBeLive(what, found);
  throw stale(what, lock.version, live.version);
}

/** Whether so much was written since that a request's id may have left the item again. */
export function mayBePushedOut(found: Stored | undefined, version: number): boolean {
  return found?.version === undefined || found.version - version > requestsKept;
}

export function stale(what: string, expected: number, found: number | undefined): WriteError {
  return new WriteError(
    'StaleVersion',
    `${what}: version ${expected} was given, it is at ${found}. Read it again.`,
  );
}

function withoutUndefined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
