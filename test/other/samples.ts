/** The apps that the engine's suite runs on, each with items to try it with. */

import { app as shop } from '../../src/app.ts';
import type { Step } from '../../src/local/play/step.ts';
import type { ReadsOf } from '../../src/local/proof/cache.ts';
import type { App } from '../../src/pipeline/app.ts';
import { order } from '../../src/shop/entities/order.ts';
import { product } from '../../src/shop/entities/product.ts';
import { day as shopDay } from '../../src/shop/play/day.ts';
import { readsOf as shopReads } from '../../src/shop/reads.ts';
import type { Entity, Fields } from '../../src/table/entity.ts';
import { lamp, purchase } from '../sinks/items.ts';
import { app as library } from './library/app.ts';
import { copy } from './library/copy.ts';
import { day as libraryDay } from './library/day.ts';
import { shelved } from './library/desk.ts';
import { loan } from './library/loan.ts';
import { readsOf as libraryReads } from './library/reads.ts';

export type Sample = {
  name: string;
  app: App;
  day: readonly Step[];
  readsOf: ReadsOf;
  /** An entity with everything, whose key is used once. */
  whole: {
    entity: Entity;
    item(id: string): Fields;
    /** What an update sets. */
    changes: Fields;
    index: string;
    /** A word that search finds it by. */
    word: string;
    /** What a creation and that update publish and send. */
    events: readonly string[];
    emails: readonly string[];
  };
  /** An entity whose key is free again after a removal, with a number to add to. */
  counted: { entity: Entity; item(id: number): Fields; number: string };
};

export const samples: readonly Sample[] = [
  {
    name: 'the shop',
    app: shop,
    day: shopDay,
    readsOf: shopReads,
    whole: {
      entity: order,
      item: (orderId) => purchase(orderId, { userId: 'grace' }),
      changes: { status: 'paid' },
      index: 'gsi3',
      word: 'lamp',
      events: ['OrderPlaced', 'OrderPaid'],
      emails: ['orderConfirmation'],
    },
    counted: { entity: product, item: (id) => lamp(`lamp-${id}`), number: 'stock' },
  },
  {
    name: 'the library',
    app: library,
    day: libraryDay,
    readsOf: libraryReads,
    whole: {
      entity: loan,
      item: (loanId) => ({
        loanId,
        reader: 'grace',
        email: 'grace@example.com',
        title: 'Middlemarch',
        state: 'out',
        renewals: 0,
        due: '2027-03-01',
      }),
      changes: { state: 'back' },
      index: 'loans-by.State_2',
      word: 'middlemarch',
      events: ['BookLent', 'BookReturned'],
      emails: ['receipt', 'thanks'],
    },
    counted: {
      entity: copy,
      item: (number) => shelved(number, { lent: 5 }),
      number: 'lent',
    },
  },
];
