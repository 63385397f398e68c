/** Who and what is in the day that is played and in the recordings. */
import type { By, Store } from '../../table/store.ts';
import { orderIdOf, type Product, shop } from '../commands.ts';

export const by = (actor: string, request: string): By => ({ actor, request });

export const product = (
  productId: string,
  name: string,
  category: string,
  price: number,
  stock: number,
  description = '',
): Product => ({ productId, name, description, category, price, currency: 'EUR', stock });

export const tea = product('tea', 'Green tea', 'drinks', 12.5, 40, 'First flush, from the hills');
export const cup = product('cup', 'Cup', 'kitchen', 7.2, 80, 'Stoneware');
export const pot = product('pot', 'Tea pot', 'kitchen', 49.95, 12, 'Cast iron, 0.8 l');
export const jam = product('jam', 'Plum jam', 'food', 4.35, 25, 'From the last good year');

export const ada = { userId: 'ada', name: 'Ada Ayoub', email: 'ada@example.com', marketing: true };
export const bob = { userId: 'bob', name: 'Bob Brandt', email: 'bob@example.com', marketing: false };
export const cleo = { userId: 'cleo', name: 'Cleo Conti', email: 'cleo@example.com', marketing: false };

export const adasOrder = {
  userId: 'ada',
  idempotencyKey: 'cart-1',
  items: [
    { productId: 'tea', quantity: 2 },
    { productId: 'cup', quantity: 4 },
  ],
};

/** An order goes on, or is cancelled. */
export async function step(
  store: Store,
  input: typeof adasOrder,
  status: 'paid' | 'shipped' | 'cancelled',
  who: By,
): Promise<void> {
  const key = { userId: input.userId, orderId: orderIdOf(input) };
  const found = await shop(store).order(key);
  if (found === undefined) throw new Error(`The order of ${input.userId} is not there.`);
  await shop(store).setOrderStatus(key, found.version, status, who);
}
