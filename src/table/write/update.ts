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
import { inputHash, isRepeat, markOf, remembering, requestsKept, stamps } from './stamps.ts';

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
  const input = inputHash({ update: changes });
  const repeated = isRepeat(what, stored, by, input);
  const seen = mustBeLive(what, stored);
  if (repeated) return answerRepeat(store, entity, what, seen, version);
  if (seen.version !== version) throw stale(what, version, seen.version);
  const command = new UpdateItemCommand(planUpdate(store, entity, seen, changes, by, input));
  try {
    const reply = await attempt(what, command, () => store.dynamodb.send(command));
    return toFound(entity, store.table, readStored(store.table, reply.Attributes ?? {}, epochSeconds(store)));
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const found = error.Item && readStored(store.table, error.Item, epochSeconds(store));
    return answerFailedLock(store, entity, what, found, { version, by, input, lost: mayBeApplied(error) });
  }
}

function planUpdate<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  seen: Stored,
  changes: Changes<Item>,
  by: By,
  input: string,
) {
  const { table } = store;
  const version = seen.version ?? 0;
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
  // Only what changes is written: attributes that the schema does not know stay as they are.
  const attributes: Record<string, unknown> = {
    ...Object.fromEntries(Object.keys(changes).map((name) => [name, parsed.item[name]])),
    ...indexAttributes(entity, table, parsed.item),
    ...stamps(table, by, input),
    [table.requests]: remembering(seen, markOf(by, input)),
    [table.version]: version + 1,
  };
  const build = expression();
  const condition = `${isLive(store, build)} AND ${build.name(table.version)} = ${build.value(version)}`;
  return {
    TableName: store.tableName,
    Key: encodeItem(keyAttributes(table, key)),
    UpdateExpression: build.update(attributes),
    ConditionExpression: condition,
    ReturnValues: 'ALL_NEW' as const,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    ...build.placeholders(),
  };
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
  lock: { version: number; by: By; input: string; lost: boolean },
): Found<Item> {
  const mine = isRepeat(what, found, lock.by, lock.input);
  if (mine && found?.live) return answerRepeat(store, entity, what, found, lock.version);
  if (!mine && lock.lost && mayBePushedOut(found, lock.version)) {
    throw new WriteError(
      'Unknown',
      `${what}: a reply was lost, and too many others have written since to tell what happened.`,
    );
  }
  const live = mustBeLive(what, found);
  throw stale(what, lock.version, live.version);
}

/** The item as it is now, unless the write went to an incarnation that is gone. */
function answerRepeat<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  what: string,
  found: Stored,
  version: number,
): Found<Item> {
  if ((found.born ?? 0) <= version) return toFound(entity, store.table, found);
  throw new WriteError('Removed', `${what}: it was done, and the item was removed and created again since.`);
}

/** Whether so much was written since that a request's id may have left the item again. */
export function mayBePushedOut(found: Stored | undefined, version: number): boolean {
  if (found?.version === undefined) return true;
  return found.version - version > requestsKept || (found.born ?? 0) > version;
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
