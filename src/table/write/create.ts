/**
 * Creation. The key is a pure function of the caller's input, so a repeat meets what the first one made: a put
 * that fails its condition is answered from what lies there.
 */
import { ConditionalCheckFailedException, type Put, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { encodeItem, type Image } from '../attributes.ts';
import type { Entity, Fields } from '../entity.ts';
import { WriteError } from '../errors.ts';
import { expression } from '../expression.ts';
import { indexAttributes, keyAttributes, keyOf } from '../keys.ts';
import { type By, epochSeconds, firstVersion, type Store } from '../store.ts';
import { type Found, readStored, type Stored, toFound } from '../stored.ts';
import { attempt, mayBeApplied } from './attempt.ts';
import { inputHash, stamps, withRequest } from './stamps.ts';

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
  let creation = planCreation(store, entity, item, by, input);
  for (;;) {
    try {
      const put = new PutItemCommand(creation.put);
      await attempt(`Create ${entity.name}`, put, () => store.dynamodb.send(put));
      return createdNow(creation);
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      const lost = mayBeApplied(error) ? creation.version : undefined;
      const answer = answerFromFound(store, { ...creation, lost }, error.Item);
      if (answer !== 'older') return answer;
      creation = planCreation(store, entity, item, by, input, versionFound(store, error.Item));
    }
  }
}

export function createdNow<Item extends Fields>({ item, version }: Creation<Item>): Created<Item> {
  return { outcome: 'created', item, version, expiresAt: undefined };
}

export function planCreation<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  item: Item,
  by: By,
  input: unknown,
  after = 0,
): Creation<Item> {
  const { table } = store;
  const parsed = entity.parse(item);
  if ('misfit' in parsed) throw new WriteError('Invalid', `Create ${entity.name}: ${parsed.misfit}`);
  const taken = Object.keys(parsed.item).find((name) => table.reserved.has(name));
  if (taken !== undefined)
    throw new WriteError('Invalid', `Create ${entity.name}: "${taken}" is a name of the table's own.`);
  const version = firstVersion(store, after);
  const hash = inputHash(input);
  const attributes = {
    ...parsed.item,
    ...keyAttributes(table, keyOf(entity, parsed.item)),
    ...indexAttributes(entity, table, parsed.item),
    [table.type]: entity.name,
    [table.version]: version,
    [table.born]: version,
    ...stamps(table, by, hash),
    [table.requests]: withRequest(undefined, by),
    [table.creator]: by.request,
    [table.created]: hash,
  };
  const put = {
    TableName: store.tableName,
    Item: encodeItem(attributes),
    ...creationCondition(store, entity, version, by),
  };
  return { entity, put, by, input: hash, item: parsed.item, version };
}

/** Absent; or, for a natural key, free again: removed or expired, older, and not created by this very request. */
function creationCondition(store: Store, entity: Entity, version: number, by: By) {
  const { table } = store;
  const build = expression();
  const absent = `attribute_not_exists(${build.name(table.pk)})`;
  let condition = absent;
  if (entity.key.from === 'natural') {
    const [ttl, versionName, creator] = [
      build.name(table.ttl),
      build.name(table.version),
      build.name(table.creator),
    ];
    const gone = `(attribute_exists(${build.name(table.removed)}) OR ${ttl} <= ${build.value(epochSeconds(store))})`;
    const older = `(attribute_not_exists(${versionName}) OR ${versionName} < ${build.value(version)})`;
    const another = `(attribute_not_exists(${creator}) OR ${creator} <> ${build.value(by.request)})`;
    condition = `${absent} OR (${gone} AND ${older} AND ${another})`;
  }
  return {
    ConditionExpression: condition,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    ...build.placeholders(),
  };
}

/** What the caller is told of what lies there; `older` where only a higher version is needed. */
export function answerFromFound<Item extends Fields>(
  store: Store,
  creation: Asked<Item>,
  image: Image | undefined,
): Created<Item> | 'older' {
  const { entity, by } = creation;
  if (image === undefined)
    throw new WriteError('Unknown', `Create ${entity.name}: DynamoDB did not say what lies there.`);
  const stored = readStored(store.table, image, epochSeconds(store));
  if (isSameRequest(entity, stored, creation)) return answerSame(store, stored, creation);
  if (stored.creator === by.request) {
    throw new WriteError(
      'IdempotencyConflict',
      `Create ${entity.name}: request ${by.request} came before with another input.`,
    );
  }
  if (entity.key.from === 'request') {
    throw new WriteError(
      'IdempotencyConflict',
      `Create ${entity.name}: this key was used before with another input.`,
    );
  }
  if (stored.live) throw new WriteError('AlreadyExists', `Create ${entity.name}: there is one already.`);
  if (stored.version === undefined && stored.fields[store.table.version] !== undefined) {
    throw new WriteError('Invalid', `Create ${entity.name}: the version that lies there cannot grow.`);
  }
  return 'older';
}

function isSameRequest(entity: Entity, stored: Stored, { by, input }: { by: By; input: string }): boolean {
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

export function versionFound(store: Store, image: Image | undefined): number {
  return (image && readStored(store.table, image, epochSeconds(store)).version) ?? 0;
}
