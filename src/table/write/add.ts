/**
 * Additions to number fields: no read, no lock. The item remembers the request, so that one whose reply was lost, or
 * that is sent again later, is applied once.
 */
import { ConditionalCheckFailedException, type Update, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { encodeItem } from '../attributes.ts';
import type { Entity, Fields } from '../entity.ts';
import { WriteError } from '../errors.ts';
import { type Expression, expression } from '../expression.ts';
import { keyAttributes, keyOf } from '../keys.ts';
import { type By, epochSeconds, type Store } from '../store.ts';
import { readStored, type Stored } from '../stored.ts';
import { attempt, mayBeApplied } from './attempt.ts';
import { isLive } from './conditions.ts';
import { inputHash, isRepeat, markOf, remembering, requestsKept, stamps } from './stamps.ts';
import { mustBeLive } from './update.ts';

type NumberField<Item> = { [Field in keyof Item]-?: Item[Field] extends number ? Field : never }[keyof Item] &
  string;

/** What to add to which number fields; negative takes away. */
export type Amounts<Item> = { readonly [Field in NumberField<Item>]?: number };

/** An addition puts its request in front without reading the list; past this length it is cut first. */
const longestMemory = 3 * requestsKept;

/** How often an addition gives way to others that cut the memory meanwhile. */
const mostTries = 30;

export async function add<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  key: Fields,
  amounts: Amounts<Item>,
  by: By,
): Promise<void> {
  const what = `Add to ${entity.name}`;
  check(entity, amounts);
  const input = inputHash({ add: amounts });
  let full: Stored | undefined;
  for (let tries = 0; tries < mostTries; tries++) {
    const memory = { mark: markOf(by, input), full };
    const command = new UpdateItemCommand(planAddition(store, entity, key, amounts, by, memory));
    try {
      await attempt(what, command, () => store.dynamodb.send(command));
      return;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      const found = error.Item && readStored(store.table, error.Item, epochSeconds(store));
      if (isRepeat(what, found, by, input)) return;
      refuse(entity, found, amounts, mayBeApplied(error));
      full = (found?.requests.length ?? 0) >= longestMemory ? found : undefined;
    }
  }
  throw new WriteError('Busy', `${what}: too many others write to it; nothing was written. Try again.`);
}

/** How an addition is remembered; inside a transaction it is not, since what it goes with is. */
type Memory = { mark: string; full: Stored | undefined };

/** Plans the addition. A field never goes below zero: where it would, the write fails as `GuardFailed`. */
export function planAddition<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  keyFields: Fields,
  amounts: Amounts<Item>,
  by: By,
  memory?: Memory,
): Update & { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } {
  check(entity, amounts);
  const { table } = store;
  const build = expression();
  const conditions = [isLive(store, build), `${build.name(table.type)} = ${build.value(entity.name)}`];
  const sums = [`${build.name(table.version)} = ${build.name(table.version)} + ${build.value(1)}`];
  for (const [field, amount] of Object.entries<number | undefined>(amounts)) {
    const name = build.name(field);
    sums.push(`${name} = ${name} + ${build.value(amount)}`);
    conditions.push(bounds(build, name, amount ?? 0));
  }
  if (memory !== undefined) {
    const { sum, condition } = rememberedBy(store, build, memory);
    sums.push(sum);
    conditions.push(condition);
  }
  return {
    TableName: store.tableName,
    Key: encodeItem(keyAttributes(table, keyOf(entity, keyFields))),
    UpdateExpression: build.update(stamps(table, by, inputHash(amounts)), sums),
    ConditionExpression: conditions.join(' AND '),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    ...build.placeholders(),
  };
}

function rememberedBy({ table }: Store, build: Expression, { mark, full }: Memory) {
  const requests = build.name(table.requests);
  if (full !== undefined) {
    // Cut to the newest; only if nobody has written to it since.
    const same = `${requests} = ${build.value(full.requests)}`;
    return { sum: `${requests} = ${build.value(remembering(full, mark))}`, condition: same };
  }
  const known = `if_not_exists(${requests}, ${build.value([])})`;
  const room = `(attribute_not_exists(${requests}) OR size(${requests}) < ${build.value(longestMemory)})`;
  return {
    sum: `${requests} = list_append(${build.value([mark])}, ${known})`,
    condition: `${room} AND NOT contains(${requests}, ${build.value(mark)})`,
  };
}

/** Neither below zero nor beyond what a JavaScript number holds exactly. */
function bounds(build: Expression, name: string, amount: number): string {
  return amount < 0
    ? `${name} >= ${build.value(-amount)}`
    : `${name} <= ${build.value(Number.MAX_SAFE_INTEGER - amount)}`;
}

function check(entity: Entity, amounts: Amounts<Fields>): void {
  const what = `Add to ${entity.name}`;
  const pairs = [entity.key, ...Object.values(entity.indexes)];
  const inKeys = pairs.flatMap(({ pk, sk }) => [...pk.fields, ...sk.fields]);
  for (const [field, amount] of Object.entries<unknown>(amounts)) {
    if (!Object.hasOwn(entity.schema.shape, field))
      throw new WriteError('Invalid', `${what}: it has no field "${field}".`);
    if (inKeys.includes(field))
      throw new WriteError('Invalid', `${what}: ${field} stands in a key; use update.`);
    if (typeof amount !== 'number' || !(Math.abs(amount) <= Number.MAX_SAFE_INTEGER)) {
      throw new WriteError('Invalid', `${what}: ${field} needs a number below 2^53.`);
    }
  }
}

/** Throws where what lay there is why the addition failed; else only the memory stood in its way. */
export function refuse(
  entity: Entity,
  found: Stored | undefined,
  amounts: Amounts<Fields>,
  lost = false,
): void {
  const what = `Add to ${entity.name}`;
  const { fields, requests } = mustBeLive(what, found);
  // An applied one would be remembered, unless so many wrote since that it may have been pushed out.
  if (lost && requests.length >= requestsKept) {
    throw new WriteError(
      'Unknown',
      `${what}: a reply was lost, and others have written since. Read it again.`,
    );
  }
  for (const [field, amount] of Object.entries<number | undefined>(amounts)) {
    const held = fields[field];
    if (typeof held !== 'number') throw new WriteError('Invalid', `${what}: its ${field} is no number.`);
    const sum = held + (amount ?? 0);
    if (sum >= 0 && sum <= Number.MAX_SAFE_INTEGER) continue;
    throw new WriteError(
      'GuardFailed',
      `${what}: there is ${sum < 0 ? 'not enough left' : 'no room for so much'}.`,
    );
  }
}
