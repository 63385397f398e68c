/** Where the effects lie. */
import { GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Connections } from '../../src/connections.ts';
import { holdKey, unitOf } from '../../src/deliveries/rows.ts';
import { product } from '../../src/shop/entities/product.ts';
import { decodeImage, encodeItem } from '../../src/table/attributes.ts';
import type { Entity, Fields } from '../../src/table/entity.ts';
import { kettle, kettleName, type Shop } from './items.ts';

export async function holdOf({ dynamodb, config }: Connections, item: string) {
  const { Item } = await dynamodb.send(
    new GetItemCommand({
      TableName: config.SLUICE_DELIVERIES_TABLE,
      Key: encodeItem({ pk: unitOf('search', item), sk: holdKey }),
      ConsistentRead: true,
    }),
  );
  return Item;
}

export async function peeked({ cache }: Connections) {
  return cache?.peek(`product:${kettle.productId}`);
}

export async function sentRow({ dynamodb, config }: Connections, item: string): Promise<Fields | undefined> {
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: config.SLUICE_OUTBOX_TABLE,
      KeyConditionExpression: 'pk = :item',
      ExpressionAttributeValues: encodeItem({ ':item': item }),
      ConsistentRead: true,
    }),
  );
  const rows = Items.map((image) => decodeImage(image));
  if (rows[0] !== undefined && rows[0].state !== 'sent') throw new Error(`the row is ${rows[0].state}`);
  return rows[0];
}

export async function documentWith(
  { report, connections }: Pick<Shop, 'report' | 'connections'>,
  holds: (document: Fields) => boolean,
  entity: Entity = product,
  name = kettleName,
): Promise<void> {
  await report.eventually(`the document of ${name} (function project)`, async () => {
    const found = await documentOf(connections, entity, name);
    return found !== undefined && holds(found) ? found : undefined;
  });
}

export async function documentOf({ search, config }: Connections, entity: Entity, id: string) {
  const index = `${config.SLUICE_SEARCH_PREFIX}${entity.search?.index}`;
  const { body } = (await search?.get({ index, id }, { ignore: [404] })) ?? {};
  return body?.found ? (body._source as Fields) : undefined;
}
