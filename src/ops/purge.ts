/** `sluice purge`: takes away what sinks have kept long enough, as redrive does once a day. */
import { purgeable, purgeSink } from '../deliveries/purge.ts';
import type { App } from '../pipeline/app.ts';
import { retentionDays } from '../table/retention.ts';
import { type Aim, connected } from './connected.ts';

type Options = Aim & { say(line: string): void };

/** Longer than a person waits; whatever is left then goes on at the next call. */
const patienceMilliseconds = 15 * 60_000;

/** The status is 1 if something is left. */
export function purgeByHand(app: App, { say, ...aim }: Options): Promise<number> {
  return connected(aim, async (connections, where) => {
    const sinks = purgeable(app, connections);
    if (sinks.length === 0)
      throw new Error('Search is off here: name its address in SLUICE_SEARCH_ENDPOINT.');
    let isDone = true;
    for (const sink of sinks) {
      const { purged, left } = await purgeSink(app, sink, connections.deadline(patienceMilliseconds));
      const rest = left === 0 ? '' : `, ${left} left: run it again`;
      say(
        `${sink.name} in ${where}: ${purged} marks purged of what was removed more than ${retentionDays.deletedMarks} days ago${rest}.`,
      );
      if (left > 0) isDone = false;
    }
    return isDone ? 0 : 1;
  });
}
