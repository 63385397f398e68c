/** A short day of the shop, played through the write side: what `npm start` shows and proves. */
import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { OnDemand, Step } from '../../local/play/step.ts';
import type { Store } from '../../table/store.ts';
import { shop } from '../commands.ts';
import { ada, adasOrder, bob, by, cleo, cup, jam, pot, product, step, tea } from './cast.ts';

const fig = product('fig', 'Dried figs', 'food', 6.1, 30, '500 g');

const bobsOrder = { userId: 'bob', idempotencyKey: 'cart-1', items: [{ productId: 'pot', quantity: 1 }] };
const cleosOrder = { userId: 'cleo', idempotencyKey: 'cart-1', items: [{ productId: 'fig', quantity: 3 }] };
const cleosSecond = {
  userId: 'cleo',
  idempotencyKey: 'cart-2',
  items: [
    { productId: 'cup', quantity: 1 },
    { productId: 'fig', quantity: 1 },
  ],
};

export const day: readonly Step[] = [
  {
    title: 'three customers sign up',
    causes: { changes: { insert: 3 }, events: { CustomerRegistered: 3 } },
    async play(store) {
      for (const customer of [ada, bob, cleo])
        await shop(store).registerCustomer(customer, by(customer.userId, `sign-up-${customer.userId}`));
    },
  },
  {
    title: 'five products are added',
    causes: { changes: { insert: 5 }, events: { ProductAdded: 5 } },
    async play(store) {
      for (const one of [tea, pot, cup, jam, fig])
        await shop(store).addProduct(one, by('merchant', `add-${one.productId}`));
    },
  },
  {
    title: 'an order is sent five times at once, and is one order',
    // An order takes from the stock of its products: one modification for each line.
    causes: {
      changes: { insert: 1, modify: 2 },
      events: { OrderPlaced: 1 },
      mails: { orderConfirmation: 1 },
    },
    async play(store) {
      await Promise.all(
        Array.from({ length: 5 }, () => shop(store).placeOrder(adasOrder, by('ada', 'order-ada-1'))),
      );
    },
  },
  {
    title: 'three more orders are placed',
    causes: {
      changes: { insert: 3, modify: 4 },
      events: { OrderPlaced: 3 },
      mails: { orderConfirmation: 3 },
    },
    async play(store) {
      await shop(store).placeOrder(bobsOrder, by('bob', 'order-bob-1'));
      await shop(store).placeOrder(cleosOrder, by('cleo', 'order-cleo-1'));
      await shop(store).placeOrder(cleosSecond, by('cleo', 'order-cleo-2'));
    },
  },
  {
    title: "Ada's order is paid",
    causes: { changes: { modify: 1 }, events: { OrderPaid: 1 } },
    play: (store) => step(store, adasOrder, 'paid', by('payments', 'pay-ada-1')),
  },
  {
    title: "Ada's order is shipped",
    causes: { changes: { modify: 1 }, events: { OrderShipped: 1 }, mails: { orderShipped: 1 } },
    play: (store) => step(store, adasOrder, 'shipped', by('warehouse', 'ship-ada-1')),
  },
  {
    title: 'tea is restocked',
    causes: { changes: { modify: 1 }, events: { ProductRestocked: 1 } },
    async play(store) {
      await shop(store).restockProduct('tea', 60, by('warehouse', 'restock-tea-1'));
    },
  },
  {
    title: "Cleo's order is cancelled",
    causes: { changes: { modify: 1 }, events: { OrderCancelled: 1 } },
    play: (store) => step(store, cleosOrder, 'cancelled', by('cleo', 'cancel-cleo-1')),
  },
  {
    title: 'Bob and the tea pot are removed',
    causes: { changes: { remove: 2 }, events: { CustomerRemoved: 1, ProductRemoved: 1 } },
    async play(store) {
      await shop(store).removeCustomer('bob', {
        ...by('support', 'remove-bob'),
        reason: 'asked to be forgotten',
      });
      await shop(store).removeProduct('pot', { ...by('merchant', 'remove-pot'), reason: 'no longer made' });
    },
  },
  {
    title: 'Bob signs up again',
    causes: { changes: { insert: 1 }, events: { CustomerRegistered: 1 } },
    async play(store) {
      await shop(store).registerCustomer(bob, by('bob', 'sign-up-bob-again'));
    },
  },
  {
    title: 'somebody edits the jam behind our back, and deletes the figs',
    // Two modifications: the edit, and the version that Sluice gives the jam after it.
    causes: { changes: { modify: 2, remove: 1 }, events: { ProductRemoved: 1 } },
    play: behindOurBack,
  },
];

/** What a console or another program does: no version, no reason, a plain delete. */
async function behindOurBack({ dynamodb, tableName, table }: Store): Promise<void> {
  const key = (productId: string) => ({
    [table.pk]: { S: `PRODUCT#${productId}` },
    [table.sk]: { S: `PRODUCT#${productId}` },
  });
  await dynamodb.send(
    new UpdateItemCommand({
      TableName: tableName,
      Key: key('jam'),
      UpdateExpression: 'SET price = :price',
      ExpressionAttributeValues: { ':price': { N: '3.95' } },
    }),
  );
  await dynamodb.send(new DeleteItemCommand({ TableName: tableName, Key: key('fig') }));
}

export const onDemand: OnDemand = {
  async placeOrder(store, number) {
    const order = {
      userId: 'ada',
      idempotencyKey: `by-hand-${number}`,
      items: [{ productId: 'cup', quantity: 1 }],
    };
    await shop(store).placeOrder(order, by('ada', `order-by-hand-${number}`));
  },
  async poison({ dynamodb, tableName, table, now }, number) {
    const key = { S: `PRODUCT#poison-${number}` };
    const Item = {
      [table.pk]: key,
      [table.sk]: key,
      [table.type]: { S: 'Product' },
      [table.version]: { N: String(now() * 1000) },
      price: { S: 'for free' },
    };
    await dynamodb.send(new PutItemCommand({ TableName: tableName, Item }));
  },
};
