/** One item of the library, seen from everywhere. */
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { historyOf } from '../../src/sinks/audit/history.ts';
import type { PublishedEvent } from '../../src/sinks/bus/event.ts';
import { decodeImage, encodeItem } from '../../src/table/attributes.ts';
import { itemName } from '../../src/table/change.ts';
import type { Entity, Fields } from '../../src/table/entity.ts';
import { keyAttributes, keyOf } from '../../src/table/keys.ts';
import type { OtherHome } from './kit.ts';

export function itemOf(world: OtherHome, entity: Entity, fields: Fields) {
  const { home, store } = world;
  const { connections, services } = home;
  const key = keyOf(entity, fields);
  const name = itemName(entity.name, key);
  const Key = encodeItem(keyAttributes(store.table, key));
  return {
    name,
    /** All that lies in the table under its key. */
    async held(): Promise<Fields> {
      const command = new GetItemCommand({ TableName: store.tableName, Key, ConsistentRead: true });
      return decodeImage((await store.dynamodb.send(command)).Item ?? {});
    },
    /** How often it was written, whoever did. */
    writes(): number {
      const { pk, sk } = store.table;
      const keys = world.records().map(({ dynamodb }) => dynamodb?.Keys);
      return keys.filter((one) => one?.[pk]?.S === key.pk && one?.[sk]?.S === key.sk).length;
    },
    /** What search holds, marks and all but the item's name. */
    async document(): Promise<{ version: number; source: Fields } | undefined> {
      const index = `${connections.config.SLUICE_SEARCH_PREFIX}${entity.search?.index}`;
      const reply = await connections.search?.mget({ index, body: { ids: [name] } });
      const [one] = (reply?.body.docs ?? []) as { _version?: number; _source?: Fields }[];
      if (one?._version === undefined) return undefined;
      const { sluiceItem: _, ...source } = one._source ?? {};
      return { version: one._version, source };
    },
    /** Its rows in the audit trail, the oldest first. */
    async history(): Promise<Fields[]> {
      return ((await historyOf(connections, name, 100)) as Fields[]).reverse();
    },
    /** Its events, each once. */
    events(): { name: string; exact: boolean }[] {
      const all = services.publishedEvents().map((event) => {
        const { meta } = event.detail as PublishedEvent;
        return { id: meta.eventId, of: itemName(meta.entity, meta.key), event: event['detail-type'], meta };
      });
      const distinct = new Map(all.filter(({ of }) => of === name).map((one) => [one.id, one]));
      return [...distinct.values()].map(({ event, meta }) => ({ name: event, exact: meta.exact }));
    },
  };
}
