import type { Journal } from '../journal.ts';
import { compilePattern } from '../pattern.ts';
import type { Bus, BusEvent } from './buses.ts';
import type { Receive } from './deliver.ts';

type Deliver = (receive: Receive, event: BusEvent, target: string) => void;
type Accepted = { bus: string; event: BusEvent };
type Subscription = { bus: Bus; matches: (event: unknown) => boolean; receive: Receive };

/** Takes what a bus accepted to whoever asked for it, and remembers it. */
export function createRouter(
  targets: Record<string, Receive>,
  deliver: Deliver,
  accepted: Journal<Accepted>,
) {
  const subscriptions = new Set<Subscription>();

  return {
    route(bus: Bus, event: BusEvent): void {
      accepted.add({ bus: bus.name, event });
      for (const one of subscriptions) {
        if (one.bus === bus && one.matches(event)) deliver(one.receive, event, 'a subscription');
      }
      for (const rule of bus.rules.values()) {
        if (rule.state === 'DISABLED' || !rule.matches(event)) continue;
        for (const { Arn } of rule.targets.values()) deliver(targets[Arn] ?? nothingThere, event, Arn);
      }
    },
    subscribe(bus: Bus, pattern: string | object, receive: Receive): () => void {
      const subscription = { bus, matches: compilePattern(pattern), receive };
      subscriptions.add(subscription);
      return () => subscriptions.delete(subscription);
    },
    events: (busName?: string): BusEvent[] =>
      accepted.entries
        .filter(({ bus }) => busName === undefined || bus === busName)
        .map(({ event }) => event),
  };
}

const nothingThere: Receive = () => {
  throw new Error('nothing is registered under this ARN');
};
