/** A removal is a write: one conditional put of a tombstone over the item, so that who and why are in the stream. */

import { ConditionalCheckFailedException, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { encodeItem } from '../attributes.ts';
import type { Key } from '../change.ts';
import type { Entity, Fields } from '../entity.ts';
import { expression } from '../expression.ts';
import { keyAttributes, keyOf } from '../keys.ts';
import { getStored } from '../read.ts';
import { daySeconds, retentionDays } from '../retention.ts';
import { type By, epochSeconds, type Store } from '../store.ts';
import { readStored, type Stored } from '../stored.ts';
import { attempt, mayBeApplied } from './attempt.ts';
import { isLive } from './conditions.ts';
import { inputHash, isRepeat, markOf, remembering, stamps } from './stamps.ts';
import { answerFailedLock, mayBePushedOut, mustBeLive, stale } from './update.ts';

/** Beyond the longest replay (a stream's 24 hours, a redrive's weeks): until then a late change meets the tombstone. */
const tombstoneSeconds = retentionDays.tombstones * daySeconds;

/** Removes the item. Without a `version` whatever version is there; a repeat of the same request is answered alike. */
export async function remove(
  store: Store,
  entity: Entity,
  keyFields: Fields,
  by: By,
  version?: number,
): Promise<void> {
  const what = `Remove ${entity.name}`;
  const key = keyOf(entity, keyFields);
  const input = inputHash({ remove: [key.pk, key.sk] });
  for (;;) {
    const stored = await getStored(store, key);
    // It was removed by this request before; what lies there now, if anything, came after.
    if (isRepeat(what, stored, by, input)) return;
    const seen = mustBeLive(what, stored);
    const at = seen.version ?? 0;
    if (version !== undefined && version !== at) throw stale(what, version, at);
    const outcome = await putTombstone(store, entity, key, seen, { by, input });
    if (outcome === 'done') return;
    const { found, lost } = outcome;
    if (version !== undefined || (lost && mayBePushedOut(found, at))) {
      answerFailedLock(store, entity, what, found, { version: at, by, input, lost });
    }
    // Somebody wrote between the read and the put: with no version named, the removal meant that one too.
  }
}

type Asked = { by: By; input: string };

async function putTombstone(
  store: Store,
  entity: Entity,
  key: Key,
  seen: Stored,
  asked: Asked,
): Promise<'done' | { found: Stored | undefined; lost: boolean }> {
  const { table } = store;
  const build = expression();
  const condition = `${isLive(store, build)} AND ${build.name(table.version)} = ${build.value(seen.version)}`;
  const command = new PutItemCommand({
    TableName: store.tableName,
    Item: encodeItem(tombstone(store, entity, key, seen, asked)),
    ConditionExpression: condition,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    ...build.placeholders(),
  });
  try {
    await attempt(`Remove ${entity.name}`, command, () => store.dynamodb.send(command));
    return 'done';
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const found = error.Item && readStored(table, error.Item, epochSeconds(store));
    const mine = isRepeat(`Remove ${entity.name}`, found, asked.by, asked.input);
    return mine ? 'done' : { found, lost: mayBeApplied(error) };
  }
}

/** Keys, version, who and why, and what answers a repeated creation. No index keys, and nothing of the item. */
function tombstone(store: Store, entity: Entity, key: Key, seen: Stored, { by, input }: Asked): Fields {
  const { table } = store;
  return {
    ...keyAttributes(table, key),
    [table.type]: entity.name,
    [table.version]: (seen.version ?? 0) + 1,
    [table.removed]: new Date(store.now()).toISOString(),
    [table.ttl]: epochSeconds(store) + tombstoneSeconds,
    ...stamps(table, by, input),
    [table.requests]: remembering(seen, markOf(by, input)),
    [table.creator]: seen.creator,
    [table.created]: seen.created,
  };
}
