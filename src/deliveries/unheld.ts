/**
 * Parked changes without a hold. Redrive goes by holds, so they would wait for ever. It takes two mishaps to make one:
 * the hold could not be written, or the row was written later than anybody waited for, when the change had arrived by
 * another try. Each waiting change is therefore looked after once, when whoever parked it can no longer be at it.
 */
import type { Connections } from '../connections.ts';
import { chunk } from '../pipeline/chunk.ts';
import { updateRow } from './changes.ts';
import { raiseHold, renewHold } from './holds.ts';
import { queuedRows } from './queued.ts';
import { changePrefix, notLookedAfter, unheldOf, unitOf } from './rows.ts';
import { rowsUnder } from './rowsUnder.ts';

/** Rows that one run looks after: in a long outage there are many, nearly all of them held. */
const mostRows = 1_000;
const atOnce = 10;

/** Sees to it that each change of the sink that has waited for long has a hold; of very many, of some of them. */
export async function holdUnheld(connections: Connections, sink: string, signal: AbortSignal): Promise<void> {
  const { dynamodb, config, now } = connections;
  const rows = await queuedRows(dynamodb, config.SLUICE_DELIVERIES_TABLE, unheldOf(sink), now(), mostRows);
  const byItem = Map.groupBy(rows, ({ item }) => String(item));
  if (byItem.size === 0) return;
  for (const part of chunk([...byItem], { count: atOnce, bytes: Number.POSITIVE_INFINITY }, () => 0)) {
    if (signal.aborted) return;
    await Promise.all(
      part.map(async ([item, ofItem]) => {
        // One that is there may be about to go: whoever has leased it may have read the changes before these came.
        if (!(await renewHold(connections, unitOf(sink, item)))) await hold(connections, sink, item);
        for (const row of ofItem) await updateRow(connections, row, notLookedAfter);
      }),
    );
  }
}

/** Without a hold others may have passed the changes of the item, those as well that are not looked after yet. */
async function hold(connections: Connections, sink: string, item: string): Promise<void> {
  const rows = await rowsUnder(connections, unitOf(sink, item));
  const waiting = rows.filter(({ sk, state }) => String(sk).startsWith(changePrefix) && state === 'waiting');
  if (waiting.length === 0) return; // they have arrived meanwhile
  for (const row of waiting) await updateRow(connections, row, { late: true });
  await raiseHold(connections, { sink, item, state: 'waiting', reason: 'its hold was gone' });
}
