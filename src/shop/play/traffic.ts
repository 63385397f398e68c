/** What goes on in a busy shop: customers, merchants, the warehouse, and somebody with a console. Few items at a time, so that they meet. */
import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Chance, Traffic } from '../../local/play/step.ts';
import { readThrough } from '../../sinks/cache/read.ts';
import type { By, Store } from '../../table/store.ts';
import { type OrderKey, orderIdOf, shop } from '../commands.ts';
import { cachedReads } from '../reads.ts';

type World = Parameters<Traffic>[0];

const names = ['ada', 'bob', 'cleo', 'dora', 'emil', 'fay'];
/** So many acts later others come: what is wrong with what was theirs then stays to be found. */
const actsOfVisit = 160;
const products = ['tea', 'pot', 'cup', 'jam', 'fig', 'nut'];
/** So many products of others there are at a time: they never had a version, and never get one. */
const strangers = 4;
/** So many that most lists are left alone for a while: what is stale in one then stays to be found. */
const categories = Array.from({ length: 60 }, (_, number) => `shelf-${number}`);
/** So many orders a customer ever has, besides those that are regretted. */
const carts = 3;

const by = (actor: string, random: Chance): By => ({
  actor,
  request: `${actor}-${Math.floor(random.next() * 1e12)}`,
});

export const traffic: Traffic = (world) => world.random.pick(drawn)(world);

type Act = (world: World) => Promise<unknown>;

/** How often, and what. */
const acts: readonly [number, Act][] = [
  [17, read],
  [12, placeOrder],
  [10, moveOrder],
  [9, placeInHaste],
  [8, placeInError],
  [8, regret],
  [12, signUp],
  [5, changeProfile],
  [1, leave],
  [9, addProduct],
  [8, changeProduct],
  [6, restock],
  [6, restockInParts],
  [2, removeProduct],
  [1, removeOrder],
  [4, editBehindOurBack],
  [2, deleteBehindOurBack],
  [6, writeAsStranger],
];

const drawn = acts.flatMap(([times, act]) => Array.from({ length: times }, () => act));

/** Through the cache, as the API does it. */
function read(world: World): Promise<unknown> {
  const { store, cache, random } = world;
  const reads = cachedReads(store);
  const [userId, productId] = [customerIn(world), random.pick(products)];
  const port = cache;
  const seen = [
    () => readThrough({ port, ...reads.customer(userId) }),
    () => readThrough({ port, ...reads.product(productId) }),
    () => look(world, orderKey(world)),
    () => readThrough({ port, ...reads.ordersOf(userId) }),
    () => readThrough({ port, ...reads.productsIn(random.pick(categories)) }),
  ];
  return random.pick(seen)();
}

function customerIn({ random, acts }: World): string {
  return visitor(random.pick(names), acts);
}

const visitor = (name: string, acts: number) => `${name}-${Math.floor(acts / actsOfVisit)}`;

function strangerIn({ random, acts }: World): string {
  return visitor(`mug-${Math.floor(random.next() * strangers)}`, acts);
}

function cartOf(world: World) {
  const number = Math.floor(world.random.next() * carts);
  return { userId: customerIn(world), idempotencyKey: `cart-${number}` };
}

function orderKey(world: World) {
  const cart = cartOf(world);
  return { userId: cart.userId, orderId: orderIdOf(cart) };
}

function placeOrder(world: World, cart = cartOf(world)) {
  const { store, random } = world;
  const lines = new Set([random.pick(products), random.pick(products)]);
  const items = [...lines].map((productId) => ({ productId, quantity: 1 }));
  return shop(store).placeOrder({ ...cart, items }, by(cart.userId, random));
}

/** Placed, paid and shipped at once, while its customer looks at it: its mails are under way together. */
async function placeInHaste(world: World): Promise<void> {
  const { store, random } = world;
  const placed = await placeOrder(world);
  if (placed.outcome !== 'created') return;
  const key = { userId: placed.item.userId, orderId: placed.item.orderId };
  const paid = await shop(store).setOrderStatus(key, placed.version, 'paid', by('payments', random));
  const ship = shop(store).setOrderStatus(key, paid.version, 'shipped', by('warehouse', random));
  await Promise.all([look(world, key), look(world, key), ship]);
}

/** So many acts later another order is placed in error. */
const actsOfError = 10;
/** Of so many of the last ones any may be regretted. */
const errorsToRegret = 10;

/** An order that is removed some time later, and does not come back: nothing heals what is wrong with it then. */
function cartInError({ acts }: World, back: number) {
  const number = Math.max(0, Math.floor(acts / actsOfError) - back);
  const userId = visitor(names[number % names.length] as string, number * actsOfError);
  return { userId, idempotencyKey: `in-error-${number}` };
}

function placeInError(world: World): Promise<unknown> {
  return placeOrder(world, cartInError(world, 0));
}

async function regret(world: World): Promise<void> {
  const { store, random } = world;
  const cart = cartInError(world, Math.floor(random.next() * errorsToRegret));
  const key = { userId: cart.userId, orderId: orderIdOf(cart) };
  await look(world, key);
  const remove = shop(store).removeOrder(key, { ...by(cart.userId, random), reason: 'a mistake' });
  await Promise.allSettled([look(world, key), remove]);
  await remove;
}

/** At an order, as it is or as the cache has it. */
function look({ store, cache }: World, { userId, orderId }: OrderKey): Promise<unknown> {
  return readThrough({ port: cache, ...cachedReads(store).order(userId, orderId) });
}

async function moveOrder(world: World): Promise<unknown> {
  const { store, random } = world;
  const key = orderKey(world);
  const found = await shop(store).order(key);
  if (found === undefined) return undefined;
  const next = {
    pending: ['paid', 'paid', 'cancelled'],
    paid: ['shipped', 'shipped', 'cancelled'],
    shipped: ['delivered'],
    delivered: [],
    cancelled: [],
  } as const;
  const statuses = next[found.item.status];
  return statuses.length === 0
    ? undefined
    : shop(store).setOrderStatus(
        key,
        found.version,
        random.pick<(typeof statuses)[number]>(statuses),
        by('shop', random),
      );
}

function removeOrder(world: World): Promise<unknown> {
  const { store, random } = world;
  return shop(store).removeOrder(orderKey(world), { ...by('support', random), reason: 'asked for' });
}

function signUp(world: World): Promise<unknown> {
  const { store, random } = world;
  const userId = customerIn(world);
  const input = {
    userId,
    name: `${userId} ${random.pick(names)}`,
    email: `${userId}@example.com`,
    marketing: true,
  };
  return shop(store).registerCustomer(input, by(userId, random));
}

async function changeProfile(world: World): Promise<unknown> {
  const { store, random } = world;
  const userId = customerIn(world);
  const found = await cachedReads(store).customer(userId).read();
  const name = `${userId} ${Math.floor(random.next() * 100)}`;
  return found && shop(store).updateCustomer(userId, found.version, { name }, by(userId, random));
}

function leave(world: World): Promise<unknown> {
  const { store, random } = world;
  return shop(store).removeCustomer(customerIn(world), { ...by('support', random), reason: 'asked for' });
}

function productNamed(productId: string, random: Chance) {
  return {
    productId,
    name: `${productId} ${Math.floor(random.next() * 100)}`,
    description: 'as good as ever',
    category: random.pick(categories),
    price: Math.floor(random.between(100, 5_000)) / 100,
    currency: 'EUR' as const,
    stock: Math.floor(random.between(50, 500)),
  };
}

function addProduct({ store, random }: World): Promise<unknown> {
  return shop(store).addProduct(productNamed(random.pick(products), random), by('merchant', random));
}

/** By a merchant who has just looked at the list that it stands in. */
async function changeProduct({ store, cache, random }: World): Promise<unknown> {
  const productId = random.pick(products);
  const reads = cachedReads(store);
  const found = await reads.product(productId).read();
  if (found === undefined) return undefined;
  await readThrough({ port: cache, ...reads.productsIn(found.item.category) });
  const { name, category, price } = productNamed(productId, random);
  const changes = random.pick([{ name }, { category }, { price }]);
  return shop(store).updateProduct(productId, found.version, changes, by('merchant', random));
}

/** One product sells best, and changes while its changes of before are still on their way. */
function sold(random: Chance): string {
  return random.chance(0.5) ? 'tea' : random.pick(products);
}

function restock({ store, random }: World): Promise<unknown> {
  return shop(store).restockProduct(sold(random), 10, by('warehouse', random));
}

/** One item changes several times while its first change is still on its way. */
async function restockInParts(world: World): Promise<void> {
  const productId = sold(world.random);
  for (const quantity of [1, 2, 3, 4])
    await shop(world.store).restockProduct(productId, quantity, by('warehouse', world.random));
}

function removeProduct({ store, random }: World): Promise<unknown> {
  return shop(store).removeProduct(random.pick(products), {
    ...by('merchant', random),
    reason: 'no longer made',
  });
}

function rawKey({ table }: Store, productId: string) {
  const key = { S: `PRODUCT#${productId}` };
  return { [table.pk]: key, [table.sk]: key };
}

/** An edit by hand, of something that is there: no version, no reason. */
function editBehindOurBack({ store, random }: World): Promise<unknown> {
  const { dynamodb, tableName, table } = store;
  return dynamodb.send(
    new UpdateItemCommand({
      TableName: tableName,
      Key: rawKey(store, random.pick(products)),
      UpdateExpression: 'SET price = :price',
      ConditionExpression: 'attribute_exists(#pk) AND attribute_exists(price)',
      ExpressionAttributeNames: { '#pk': table.pk },
      ExpressionAttributeValues: { ':price': { N: String(Math.floor(random.between(100, 900)) / 100) } },
    }),
  );
}

function deleteBehindOurBack(world: World): Promise<unknown> {
  const { store, random } = world;
  const { dynamodb, tableName } = store;
  const productId = random.chance(0.5) ? random.pick(products) : strangerIn(world);
  return dynamodb.send(new DeleteItemCommand({ TableName: tableName, Key: rawKey(store, productId) }));
}

/** Another program keeps items of its own in the table, without any version. */
function writeAsStranger(world: World): Promise<unknown> {
  const { store, random } = world;
  const { dynamodb, tableName, table } = store;
  const { productId, name, description, category, currency, price, stock } = productNamed(
    strangerIn(world),
    random,
  );
  const Item = {
    ...rawKey(store, productId),
    [table.type]: { S: 'Product' },
    ...Object.fromEntries(
      Object.entries({ productId, name, description, category, currency }).map(([field, text]) => [
        field,
        { S: text },
      ]),
    ),
    price: { N: String(price) },
    stock: { N: String(stock) },
    gsi1pk: { S: `CATEGORY#${category}` },
    gsi1sk: { S: `PRODUCT#${productId}` },
  };
  return dynamodb.send(new PutItemCommand({ TableName: tableName, Item }));
}
