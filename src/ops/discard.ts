/** `sluice discard`: takes parked deliveries away for good; who and why stay in the audit trail. */
import { discard } from '../deliveries/discard.ts';
import { listParked } from '../deliveries/list.ts';
import { plain } from '../local/live/plain.ts';
import { type Aim, connected } from './connected.ts';

type Options = Aim & {
  /** None means records that cannot be read. */
  sink?: string | undefined;
  item: string;
  reason: string;
  by: string;
  say(line: string): void;
};

export function discardByHand({ sink, item, reason, by, say, ...aim }: Options): Promise<number> {
  return connected(aim, async (connections, where) => {
    const meant = (await listParked(connections)).filter(
      (delivery) => delivery.sink === sink && (delivery.item === item || delivery.change === item),
    );
    if (meant.length === 0) {
      say(
        `Nothing of ${plain(item)} is parked${sink === undefined ? '' : ` for ${plain(sink)}`} in ${where}.`,
      );
      return 1;
    }
    for (const delivery of meant) {
      await discard(connections, delivery, { by, reason });
      say(
        `Discarded: ${plain(delivery.change ?? delivery.item)} (${delivery.state}: ${plain(delivery.reason)})`,
      );
    }
    return 0;
  });
}
