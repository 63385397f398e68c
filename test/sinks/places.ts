/** Places that one and the same stream goes to: each has search indices, an audit trail and a cache of its own. */
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { scan } from '../../src/local/proof/truth.ts';
import { ensureTables } from '../../src/local/tables.ts';
import { openStream } from '../../src/pipeline/stream.ts';
import { memoryCache } from '../../src/sinks/cache/memory.ts';
import { ensureIndices } from '../../src/sinks/search/indices.ts';
import { decodeImage } from '../../src/table/attributes.ts';
import type { Entity, Fields } from '../../src/table/entity.ts';
import { eventOf } from '../support/records.ts';
import type { openWorld } from './world.ts';

export type Place = Awaited<ReturnType<typeof openPlace>>;

export async function openPlace(world: Awaited<ReturnType<typeof openWorld>>, name: string) {
  const { app, clock, client, dynamodb } = world;
  const config = {
    ...world.config,
    SLUICE_SEARCH_PREFIX: `${name}-`,
    SLUICE_AUDIT_TABLE: `${name}-audit`,
    SLUICE_OUTBOX_TABLE: `${name}-outbox`,
    SLUICE_DELIVERIES_TABLE: `${name}-deliveries`,
  };
  const cache = memoryCache(world.connections.now);
  await ensureTables(dynamodb, config, app.table);
  await ensureIndices(client, config.SLUICE_SEARCH_PREFIX, app.entities);
  const connections = { ...world.connections, config, cache };
  const project = openStream(app, 'project', connections);
  const notify = openStream(app, 'notify', connections);
  return {
    name,
    cache,
    /** Takes these records as one batch; they are copied, as if Lambda had sent them. */
    take(records: readonly DynamoDBRecord[]) {
      clock.milliseconds = Date.now();
      return project(eventOf(...structuredClone([...records])));
    },
    /** The acts' reader takes it as it is. */
    notify: (event: DynamoDBStreamEvent) => notify(structuredClone(event)),
    /** The reader of views and log takes it as it is. */
    project: (event: DynamoDBStreamEvent) => project(structuredClone(event)),
    /** The document that searches can see of an item, and its version. */
    async shown(entity: Entity, item: string): Promise<{ version: number; source: Fields } | undefined> {
      const document = await world.document(`${config.SLUICE_SEARCH_PREFIX}${entity.search?.index}`, item);
      return document?.source.sluiceRemovedAt === undefined ? document : undefined;
    },
    /** The audit rows of an item, in the order of their keys. */
    async auditRows(item: string): Promise<Fields[]> {
      const rows = (await scan(dynamodb, config.SLUICE_AUDIT_TABLE)).map((image) => decodeImage(image));
      return rows
        .filter(({ pk }) => pk === item)
        .sort((one, other) => (String(one.sk) < String(other.sk) ? -1 : 1));
    },
  };
}
