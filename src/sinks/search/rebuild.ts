/**
 * Makes an index anew while searches and writes go on: writes go to the new one from the beginning, searches once all
 * is in it. Until then searches show what was there when it began. Begun again, it goes on where it was.
 */
import type { Client } from '@opensearch-project/opensearch';
import type { Entity } from '../../table/entity.ts';
import { bulk } from './bulk.ts';
import { createIndex, differs, type Searched, searched, standing } from './indices.ts';
import { namesOf } from './names.ts';
import { marked } from './purge.ts';

type Place = { client: Client; prefix: string };

/** From now on writes go to an index of each entity that is as declared. What the table holds is to be brought next. */
export async function beginRebuild(place: Place, entities: readonly Entity[]): Promise<void> {
  for (const entity of searched(entities)) await beginOne(place, entity);
}

async function beginOne({ client, prefix }: Place, entity: Searched): Promise<void> {
  const names = namesOf(prefix, entity.search.index);
  const { read, write, types } = await standing(client, names);
  if (read === undefined || write === undefined)
    throw new Error(
      `Search has no index of ${entity.name} yet: run "npx sluice backfill" without --rebuild.`,
    );
  const isBegun = read !== write;
  if (isBegun && !differs(entity, types[write])) return;
  const fresh = names.next(Object.keys(types));
  await createIndex(client, fresh, entity, []);
  await move(client, names.write, write, fresh);
  if (isBegun) await client.indices.delete({ index: write });
}

/** All is in the new indices: the marks of what was removed follow, then searches, and the old ones go. */
export async function finishRebuild(
  { client, prefix, refreshes }: Place & { refreshes: boolean },
  entities: readonly Entity[],
  signal: AbortSignal,
): Promise<void> {
  for (const { search } of searched(entities)) {
    const names = namesOf(prefix, search.index);
    const { read, write } = await standing(client, names);
    if (read === undefined || write === undefined || read === write) continue;
    // Of what was deleted past Sluice the table holds nothing: only these marks keep a late record from bringing it back.
    for await (const marks of marked({ client, signal }, read)) {
      const requests = marks.map((one) => ({ ...one, index: search.index }));
      const answers = await bulk({ client, prefix, signal }, requests);
      const failed = answers.find((answer) => answer.state === 'failed');
      if (failed !== undefined)
        throw new Error(`Search did not take a mark of what was removed: ${failed.reason}.`);
    }
    if (refreshes) await client.indices.refresh({ index: write });
    await move(client, names.read, read, write);
    await client.indices.delete({ index: read });
  }
}

async function move(client: Client, alias: string, from: string, to: string): Promise<void> {
  const actions = [{ remove: { index: from, alias } }, { add: { index: to, alias } }];
  await client.indices.updateAliases({ body: { actions } });
}
