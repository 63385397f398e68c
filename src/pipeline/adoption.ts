/**
 * Adoption: items that others changed are given a version. It is no place that changes go to, but delivered like
 * one: once for each item of a batch, tried again, and one that fails stands in nobody's way.
 */
import { rights } from '../rights.ts';
import { type Adoption, adopt, adoptionOf, isAdoptable } from '../table/adopt.ts';
import type { Store } from '../table/store.ts';
import type { Answer, Sink, SinkFactory } from './sink.ts';

export const adoption: SinkFactory = ({ store }) => {
  const sink: Sink<Adoption> = {
    name: 'adoption',
    kind: 'view',
    rights: { send: rights('table', 'dynamodb:UpdateItem') },
    plan: (change) => (isAdoptable(change) ? [adoptionOf(change, store)] : []),
    target: ({ key }) => JSON.stringify([key.pk, key.sk]),
    // Only the change that left the item as it is can be adopted: of a batch the last.
    newer: (one, other) => ({ ...other, above: Math.max(one.above, other.above) }),
    limits: { count: 25, bytes: 1_000_000 },
    size: (request) => JSON.stringify(request).length,
    send: (adoptions) => Promise.all(adoptions.map((one) => give(store, one))),
  };
  return sink as Sink;
};

async function give(store: Store, one: Adoption): Promise<Answer> {
  try {
    return { state: (await adopt(store, one)) ? 'applied' : 'superseded' };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const reason = `${name}: ${message}`;
    if (name === 'ValidationException') return { state: 'failed', reason, retryable: false };
    return { state: 'failed', reason, retryable: true, service: true };
  }
}
