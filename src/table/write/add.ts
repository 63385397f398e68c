/**
 * Atomic counters: they need no read and no lock. A lost reply is repeated with the same token, so it is applied
 * once (DynamoDB remembers a token for ten minutes: API_TransactWriteItems, ClientRequestToken).
 */
import type { Update } from '@aws-sdk/client-dynamodb';
import { encodeItem } from '../attributes.ts';
import type { Entity, Fields } from '../entity.ts';
import { WriteError } from '../errors.ts';
import { expression } from '../expression.ts';
import { keyAttributes, keyOf } from '../keys.ts';
import type { By, Store } from '../store.ts';
import { isLive } from './conditions.ts';
import { inputHash, stamps } from './stamps.ts';

type NumberField<Item> = { [Field in keyof Item]-?: Item[Field] extends number ? Field : never }[keyof Item] &
  string;

/** What to add to which number fields; negative takes away. */
export type Amounts<Item> = { readonly [Field in NumberField<Item>]?: number };

/** Plans the addition. A field never goes below `floor`: where it would, the write fails as `GuardFailed`. */
export function planAddition<Item extends Fields>(
  store: Store,
  entity: Entity<Item>,
  keyFields: Fields,
  amounts: Amounts<Item>,
  by: By,
  floor = 0,
): Update {
  const { table } = store;
  const build = expression();
  const conditions = [isLive(store, build), `${build.name(table.type)} = ${build.value(entity.name)}`];
  const sets = [`${build.name(table.version)} = ${build.name(table.version)} + ${build.value(1)}`];
  for (const [field, amount] of Object.entries<number | undefined>(amounts)) {
    if (!Number.isFinite(amount) || amount === undefined) {
      throw new WriteError('Invalid', `Add to ${entity.name}: ${field} needs a number.`);
    }
    if (!Object.hasOwn(entity.schema.shape, field)) {
      throw new WriteError('Invalid', `Add to ${entity.name}: it has no field "${field}".`);
    }
    checkNoKey(entity, field);
    const name = build.name(field);
    sets.push(`${name} = ${name} + ${build.value(amount)}`);
    conditions.push(amount < 0 ? `${name} >= ${build.value(floor - amount)}` : `attribute_exists(${name})`);
  }
  const { removed, written } = split(stamps(table, by, inputHash(amounts)));
  for (const [name, value] of written) sets.push(`${build.name(name)} = ${build.value(value)}`);
  const removes = removed.map((name) => build.name(name)).join(', ');
  return {
    TableName: store.tableName,
    Key: encodeItem(keyAttributes(table, keyOf(entity, keyFields))),
    UpdateExpression: `SET ${sets.join(', ')}${removes === '' ? '' : ` REMOVE ${removes}`}`,
    ConditionExpression: conditions.join(' AND '),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    ...build.placeholders(),
  };
}

function checkNoKey(entity: Entity, field: string): void {
  const pairs = [entity.key, ...Object.values(entity.indexes)];
  if (pairs.some(({ pk, sk }) => [...pk.fields, ...sk.fields].includes(field))) {
    throw new WriteError('Invalid', `Add to ${entity.name}: ${field} stands in a key; use update.`);
  }
}

function split(attributes: Record<string, unknown>) {
  const entries = Object.entries(attributes);
  return {
    written: entries.filter(([, value]) => value !== undefined),
    removed: entries.filter(([, value]) => value === undefined).map(([name]) => name),
  };
}
