/** The search indices, made from the entities' declarations: strict, so that a bad document is refused, not guessed. */
import type { Client } from '@opensearch-project/opensearch';
import type { Entity, SearchFieldType } from '../../table/entity.ts';
import { marks } from './plan.ts';

/** Creates each index that is not there yet. */
export async function ensureIndices(
  client: Client,
  prefix: string,
  entities: readonly Entity[],
): Promise<void> {
  for (const { search } of entities) {
    if (search === undefined) continue;
    const index = `${prefix}${search.index}`;
    const { body: exists } = await client.indices.exists({ index });
    if (exists) continue;
    await client.indices.create({
      index,
      body: { mappings: { dynamic: 'strict', properties: mapping(search.fields) } },
    });
  }
}

function mapping(
  fields: Readonly<Record<string, SearchFieldType>>,
): Record<string, { type: SearchFieldType }> {
  const all = { ...fields, [marks.removedAt]: 'date', [marks.expiresAt]: 'date' } as const;
  return Object.fromEntries(
    Object.entries(all).map(([name, type]) => [name, { type: type as SearchFieldType }]),
  );
}
