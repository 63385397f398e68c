/**
 * Creation. The key is a pure function of the caller's input, so a repeat meets what the first one made: a put
 * that fails its condition is answered from what lies there.
 */
import { ConditionalCheckFailedException, type Put, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { encodeItem, type Image } from '../attributes.ts';
import type { Entity, Fields } from '../entity.ts';
import { WriteError } from '../errors.ts';
import { type Expression, expression } from '../expression.ts';
import { indexAttributes, keyAttributes, keyOf } from '../keys.ts';
import { type By, epochSeconds, firstVersion, type Store } from '../store.ts';
import { type Found, readStored, type Stored, toFound } from '../stored.ts';
import { attempt, mayBeApplied } from './attempt.ts';
import { inputHash, isRepeat, markOf, remembering, stamps, storable } from './stamps.ts';

/**
 * `created`: now. `existing`: an equal request made it before, and this is what it has become. `removed`: an
 * equal request made it, and it was removed since.
 */
export type Created<Item> = ({ outcome: 'created' | 'existing' } & Found<Item>) | { outcome: 'removed' };

/** What a repeat is recognised by: the request and the hash of its input. */
type Asked<Item extends Fields> = {
  entity: Entity<Item>;
  by: By;
  input: string;
  /** The version that this very call may have written, its reply lost. */
  lost?: number | undefined;
};

export type Creation<Item extends Fields> = Asked<Item> & { put: Put; item: Item; version: number };

export async function create<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  item: Item,
  by: By,
  input: unknown = item,
): Promise<Created<Item>> {
  return untilDecided(store, entity, item, by, input, async (creation) => {
    const put = new PutItemCommand(creation.put);
    try {
      await attempt(`Create ${entity.name}`, put, () => store.dynamodb.send(put));
      return 'created';
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return { found: error.Item, lost: mayBeApplied(error) ? creation.version : undefined };
    }
  });
}

/** What came of one try: done, or what lies there instead. */
export type Tried = 'created' | { found: Image | undefined; lost?: number | undefined };

/** Tries with the key absent; over a tombstone of a natural key it tries again, as its successor. */
export async function untilDecided<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  item: Item,
  by: By,
  input: unknown,
  tryOnce: (creation: Creation<Item>) => Promise<Tried>,
): Promise<Created<Item>> {
  for (let tombstone: Stored | undefined; ; ) {
    const creation = planCreation(store, entity, item, by, input, tombstone);
    const tried = await tryOnce(creation);
    if (tried === 'created') {
      return { outcome: 'created', item: creation.item, version: creation.version, expiresAt: undefined };
    }
    const answer = answerFromFound(store, { ...creation, lost: tried.lost }, tried.found);
    if ('outcome' in answer) return answer;
    tombstone = answer;
  }
}

function planCreation<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  item: Item,
  by: By,
  input: unknown,
  tombstone: Stored | undefined,
): Creation<Item> {
  const { table } = store;
  const parsed = entity.parse(item);
  if ('misfit' in parsed) throw new WriteError('Invalid', `Create ${entity.name}: ${parsed.misfit}`);
  const taken = Object.keys(parsed.item).find((name) => table.reserved.has(name));
  if (taken !== undefined)
    throw new WriteError('Invalid', `Create ${entity.name}: "${taken}" is a name of the table's own.`);
  const version = firstVersion(store, tombstone?.version);
  const hash = inputHash(input);
  const attributes = {
    ...parsed.item,
    ...keyAttributes(table, keyOf(entity, parsed.item)),
    ...indexAttributes(entity, table, parsed.item),
    [table.type]: entity.name,
    [table.version]: version,
    [table.born]: version,
    ...stamps(table, by, hash),
    // What earlier incarnations were asked is remembered, so that a repeat of it does not meet this one unknown.
    [table.requests]: remembering(tombstone, markOf(by, hash)),
    [table.creator]: by.request,
    [table.created]: hash,
  };
  const put = {
    TableName: store.tableName,
    Item: storable(() => encodeItem(attributes)),
    ...creationCondition(store, tombstone),
  };
  return { entity, put, by, input: hash, item: parsed.item, version };
}

/** Absent; or the very tombstone, or expired item, that was seen. */
function creationCondition(store: Store, tombstone: Stored | undefined) {
  const { table } = store;
  const build = expression();
  const condition =
    tombstone === undefined
      ? `attribute_not_exists(${build.name(table.pk)})`
      : `${gone(store, build)} AND ${sameVersion(store, build, tombstone)}`;
  return {
    ConditionExpression: condition,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    ...build.placeholders(),
  };
}

function gone(store: Store, build: Expression): string {
  const { removed, ttl } = store.table;
  return `(attribute_exists(${build.name(removed)}) OR ${build.name(ttl)} <= ${build.value(epochSeconds(store))})`;
}

function sameVersion({ table }: Store, build: Expression, { fields }: Stored): string {
  const [name, seen] = [build.name(table.version), fields[table.version]];
  return seen === undefined ? `attribute_not_exists(${name})` : `${name} = ${build.value(seen)}`;
}

/** What the caller is told of what lies there; or the tombstone of a natural key, which is free again. */
export function answerFromFound<Item extends Fields>(
  store: Store,
  creation: Asked<Item>,
  image: Image | undefined,
): Created<Item> | Stored {
  const { entity, by, input } = creation;
  const what = `Create ${entity.name}`;
  if (image === undefined) throw new WriteError('Unknown', `${what}: DynamoDB did not say what lies there.`);
  const stored = readStored(store.table, image, epochSeconds(store));
  if (isSameCreation(entity, stored, creation)) return answerSame(store, stored, creation);
  if (stored.creator === by.request) {
    throw new WriteError(
      'IdempotencyConflict',
      `${what}: request ${by.request} came before with another input.`,
    );
  }
  if (entity.key.from === 'request') {
    throw new WriteError('IdempotencyConflict', `${what}: this key was used before with another input.`);
  }
  // It made an earlier incarnation, which was removed since.
  if (isRepeat(what, stored, by, input)) return { outcome: 'removed' };
  if (stored.live) throw new WriteError('AlreadyExists', `${what}: there is one already.`);
  if (stored.version === undefined && stored.fields[store.table.version] !== undefined) {
    throw new WriteError('Invalid', `${what}: the version that lies there cannot grow.`);
  }
  return stored;
}

function isSameCreation(entity: Entity, stored: Stored, { by, input }: { by: By; input: string }): boolean {
  if (stored.created !== input) return false;
  return entity.key.from === 'request' || stored.creator === by.request;
}

function answerSame<Item extends Fields>(
  store: Store,
  stored: Stored,
  { entity, lost }: Asked<Item>,
): Created<Item> {
  if (!stored.live) return { outcome: 'removed' };
  const mine = lost !== undefined && stored.born === lost;
  return { outcome: mine ? 'created' : 'existing', ...toFound(entity, store.table, stored) };
}
