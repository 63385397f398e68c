import type { Hono } from 'hono';
import type { ApiParts } from '../../http/api.ts';
import { pageSize } from '../../http/request.ts';
import { historyOf } from '../../sinks/audit/history.ts';
import { itemName } from '../../table/change.ts';
import type { Entity } from '../../table/entity.ts';
import { keyOf } from '../../table/keys.ts';

/** The audit history of the item that a path names, newest first; kept when the item is gone. */
export function history(
  api: Hono,
  path: string,
  { connections, entity }: { entity: Entity } & Pick<ApiParts, 'connections'>,
): void {
  api.get(path, async (context) => {
    const item = itemName(entity.name, keyOf(entity, context.req.param()));
    return context.json({ item, history: await historyOf(connections, item, pageSize(context)) });
  });
}
