/** The example shop, driven through the deployed functions. Yours to replace, with what it imports. */
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { editedByOthers, effects } from './effects.ts';
import { documentWith } from './find.ts';
import { customer, editKettle, kettle, type Shop } from './items.ts';
import { parkedAndRedriven, reportedBySes, takenFromTheBucket } from './night.ts';
import { expect } from './report.ts';

export async function useTheShop(shop: Shop): Promise<void> {
  const orderId = await shop.report.need('a customer, a product and an order, through the function api', () =>
    placeOrder(shop),
  );
  await effects(shop, orderId);
  await editedByOthers(shop);
  await parkedAndRedriven(shop);
  await takenFromTheBucket(shop);
  await reportedBySes(shop);
}

async function placeOrder({ functions }: Shop): Promise<string> {
  const key = (text: string) => ({ 'idempotency-key': text });
  await functions.request('POST', '/customers', customer, key('customer'));
  await functions.request('POST', '/products', kettle, key('product'));
  const items = [{ productId: kettle.productId, quantity: 2 }];
  const path = `/customers/${customer.userId}/orders`;
  const { body } = await functions.request('POST', path, { items }, key('order'));
  return String(body.orderId);
}

/** As before a deployment, so after it. */
export async function stillWorks(shop: Shop): Promise<void> {
  await shop.report.check('a change reaches the search index', async () => {
    await editKettle(shop, { name: 'Tea kettle' });
    await documentWith(shop, (found) => found.name === 'Tea kettle');
  });
}

/** Another stage stands beside this one. */
export async function untouched({ report, mock, connections }: Shop, other: string): Promise<void> {
  await report.check(`nothing of all that has reached ${other}`, async () => {
    const events = (await mock.messages())[`${other}-subscriber`];
    expect(events?.length === 0, `In ${other}-subscriber: ${events}`);
    for (const table of ['table', 'audit', 'outbox', 'deliveries']) {
      const { Count } = await connections.dynamodb.send(new ScanCommand({ TableName: `${other}-${table}` }));
      expect(Count === 0, `${other}-${table} holds ${Count} rows.`);
    }
  });
}
