/** What the recordings show: each scene is played on the table that the scenes before it left. */
import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { shop } from '../src/shop/commands.ts';
import { ada, adasOrder, bob, by, cleo, cup, jam, pot, product, step, tea } from '../src/shop/play/cast.ts';
import { encodeItem } from '../src/table/attributes.ts';
import type { Store } from '../src/table/store.ts';

export type Scene = {
  /** The recording's. */
  name: string;
  /** What must be there before, and is not recorded. */
  before?(store: Store): Promise<unknown>;
  play(store: Store): Promise<unknown>;
};

type Item = { pk: string; sk: string; [field: string]: unknown };

const bobsOrder = { userId: 'bob', idempotencyKey: 'cart-1', items: [{ productId: 'cup', quantity: 1 }] };
const cleosOrder = { userId: 'cleo', idempotencyKey: 'cart-1', items: [{ productId: 'jam', quantity: 3 }] };

export const scenes: readonly Scene[] = [
  {
    name: 'customer-registered',
    play: (store) => shop(store).registerCustomer(ada, by('ada', 'sign-up-ada')),
  },
  {
    name: 'product-added',
    play: (store) => shop(store).addProduct(tea, by('merchant', 'add-tea')),
  },
  {
    name: 'order-placed',
    async before(store) {
      for (const one of [cup, pot, jam])
        await shop(store).addProduct(one, by('merchant', `add-${one.productId}`));
    },
    play: (store) => shop(store).placeOrder(adasOrder, by('ada', 'order-ada-1')),
  },
  { name: 'order-paid', play: (store) => step(store, adasOrder, 'paid', by('payments', 'pay-ada-1')) },
  {
    name: 'order-shipped',
    play: (store) => step(store, adasOrder, 'shipped', by('warehouse', 'ship-ada-1')),
  },
  {
    name: 'order-cancelled',
    async before(store) {
      await shop(store).registerCustomer(bob, by('bob', 'sign-up-bob'));
      await shop(store).placeOrder(bobsOrder, by('bob', 'order-bob-1'));
    },
    play: (store) => step(store, bobsOrder, 'cancelled', by('bob', 'cancel-bob-1')),
  },
  {
    name: 'product-restocked',
    play: (store) => shop(store).restockProduct('tea', 60, by('warehouse', 'restock-tea-1')),
  },
  {
    name: 'customer-removed-and-created-again',
    async play(store) {
      const reason = 'asked to be forgotten';
      await shop(store).removeCustomer('bob', { ...by('support', 'remove-bob'), reason });
      await shop(store).registerCustomer(bob, by('bob', 'sign-up-bob-again'));
    },
  },
  {
    name: 'mixed-batch',
    async play(store) {
      const signedUp = await shop(store).registerCustomer(cleo, by('cleo', 'sign-up-cleo'));
      await shop(store).restockProduct('jam', 50, by('warehouse', 'restock-jam-1'));
      await shop(store).placeOrder(cleosOrder, by('cleo', 'order-cleo-1'));
      await step(store, cleosOrder, 'paid', by('payments', 'pay-cleo-1'));
      const version = signedUp.outcome === 'removed' ? 0 : signedUp.version;
      await shop(store).updateCustomer('cleo', version, { marketing: true }, by('cleo', 'news-cleo'));
      await shop(store).removeProduct('pot', { ...by('merchant', 'remove-pot'), reason: 'no longer made' });
    },
  },
  {
    name: 'unknown-item',
    async play(store) {
      await shop(store).restockProduct('cup', 10, by('warehouse', 'restock-cup-1'));
      await put(store, { pk: 'SESSION#7f3a', sk: 'SESSION', cart: ['cup', 'tea'], pages: 12 });
      await shop(store).restockProduct('cup', 10, by('warehouse', 'restock-cup-2'));
    },
  },
  { name: 'every-attribute-type', play: everyAttributeType },
  {
    name: 'large-batch',
    async play(store) {
      for (let number = 1; number <= 120; number++) {
        const id = `glass-${String(number).padStart(3, '0')}`;
        const glass = product(id, `Glass no. ${number}`, 'kitchen', 3 + number / 20, 10 * number);
        await shop(store).addProduct(glass, by('merchant', `add-${id}`));
      }
    },
  },
];

/** An item of somebody else's in the same table, with every type that DynamoDB has and what is odd about it. */
async function everyAttributeType(store: Store): Promise<void> {
  const key = { pk: 'SAMPLE#1', sk: 'SAMPLE#1' };
  await put(store, {
    ...key,
    text: 'ä 漢 🫖',
    emptyText: '',
    number: 12.5,
    whole: 12345678901234567890123456789012345678n, // all 38 digits
    binary: new Uint8Array([0, 1, 254, 255]),
    yes: true,
    nothing: null,
    texts: new Set(['one', 'two']),
    numbers: new Set([1, 2.5, -3]),
    binaries: new Set([new Uint8Array([1]), new Uint8Array([2, 3])]),
    list: ['one', 2, [null, new Uint8Array([4])], {}],
    map: { 'a name with spaces': { deeper: [true, new Set(['three'])] } },
  });
  const { pk, sk } = store.table;
  const Key = encodeItem({ [pk]: key.pk, [sk]: key.sk });
  await store.dynamodb.send(
    new UpdateItemCommand({
      TableName: store.tableName,
      Key,
      UpdateExpression: 'SET yes = :no REMOVE binaries',
      ExpressionAttributeValues: { ':no': { BOOL: false } },
    }),
  );
  await store.dynamodb.send(new DeleteItemCommand({ TableName: store.tableName, Key }));
}

async function put(store: Store, { pk, sk, ...fields }: Item): Promise<void> {
  const Item = encodeItem({ [store.table.pk]: pk, [store.table.sk]: sk, ...fields });
  await store.dynamodb.send(new PutItemCommand({ TableName: store.tableName, Item }));
}
