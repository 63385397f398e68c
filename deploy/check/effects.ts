/** The effects of the shop's first writes, each looked for at its own place. */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { app } from '../../src/app.ts';
import { customer as Customer } from '../../src/shop/entities/customer.ts';
import { order as Order } from '../../src/shop/entities/order.ts';
import { product as Product } from '../../src/shop/entities/product.ts';
import { historyOf } from '../../src/sinks/audit/history.ts';
import { encodeItem } from '../../src/table/attributes.ts';
import type { Entity, Fields } from '../../src/table/entity.ts';
import { keyAttributes, keyOf } from '../../src/table/keys.ts';
import { documentWith, peeked, sentRow } from './find.ts';
import { customer, kettle, kettleName, nameOf, readKettle, type Shop } from './items.ts';
import { expect } from './report.ts';

export async function effects({ report, mock, functions, connections, stackName }: Shop, orderId: string) {
  const placed = { userId: customer.userId, orderId };
  const orderName = nameOf(Order, placed);
  const { config } = connections;
  for (const name of [nameOf(Customer, customer), kettleName, orderName])
    await report.check(`audit trail: ${name}`, async () => {
      const row = await report.eventually(
        `a row of ${name} in ${config.SLUICE_AUDIT_TABLE} (function project)`,
        async () => (await historyOf(connections, name, 100)).at(-1),
      );
      const { kind, actor } = Object(row);
      expect(kind === 'insert' && /user\/deploy-check$/.test(actor), `The row is of ${kind} by ${actor}.`);
    });
  await report.check('mail: the outbox row is sent, and SES has the mail', async () => {
    await report.eventually(
      `a sent row of ${orderName} in ${config.SLUICE_OUTBOX_TABLE} (functions notify, mail)`,
      () => sentRow(connections, orderName),
    );
    const mails = (await mock.mails()).filter(({ To }) => To.includes(customer.email));
    const subjects = mails.map(({ Subject }) => Subject).join(', ');
    expect(subjects === `Your order ${orderId}`, `SES was given: ${subjects || 'nothing'}.`);
  });
  for (const event of ['CustomerRegistered', 'ProductAdded', 'OrderPlaced'])
    await report.check(`bus: ${event} in the subscriber's queue`, async () => {
      await report.eventually(`${event} in ${stackName}-subscriber (function notify)`, async () => {
        const bodies = (await mock.messages())[`${stackName}-subscriber`] ?? [];
        return bodies.map((body) => JSON.parse(body)).find((one) => one['detail-type'] === event);
      });
    });
  for (const [entity, fields] of [
    [Customer, customer],
    [Product, kettle],
    [Order, placed],
  ] as [Entity, Fields][])
    await report.check(`search: the document of ${nameOf(entity, fields)}`, () =>
      documentWith({ report, connections }, () => true, entity, nameOf(entity, fields)),
    );
  await report.check('search: the function api finds the product', async () => {
    await report.eventually('a hit for "kettle" (function api)', async () => {
      const { body } = await functions.request('GET', '/search/products?q=kettle');
      return Number(body.total) === 1 ? body : undefined;
    });
  });
  await report.check('cache: a read by the function api fills the key', async () => {
    await report.eventually(`the key product:${kettle.productId} (function api)`, async () => {
      await readKettle({ functions });
      return peeked(connections);
    });
  });
}

/** So that nobody but the stream can tell search and cache of it. */
export async function editedByOthers({ report, connections, functions }: Shop) {
  const { dynamodb, config, cache } = connections;
  await report.check('cache: an edit past the shop removes the key, and search has the edit', async () => {
    await dynamodb.send(
      new UpdateItemCommand({
        TableName: config.SLUICE_TABLE,
        Key: encodeItem(keyAttributes(app.table, keyOf(Product, kettle))),
        UpdateExpression: 'SET #price = :price',
        ExpressionAttributeNames: { '#price': 'price' },
        ExpressionAttributeValues: encodeItem({ ':price': 25 }),
      }),
    );
    await report.eventually(
      `that the key product:${kettle.productId} is gone (function project)`,
      async () => ((await cache?.peek(`product:${kettle.productId}`)) === undefined ? true : undefined),
    );
    await documentWith({ report, connections }, ({ price }) => price === 25);
    const { body } = await readKettle({ functions });
    expect(body.price === 25, `The function api still says ${body.price}.`);
  });
}
