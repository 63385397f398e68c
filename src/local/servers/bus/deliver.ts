import { setTimeout as wait } from 'node:timers/promises';
import type { BusEvent } from './buses.ts';

export type Receive = (event: BusEvent) => void | Promise<void>;
export type Dropped = { event: BusEvent; target: string; error: unknown };

const PAUSES = [50, 200, 800]; // milliseconds before each further try; EventBridge itself tries for a day

/** Hands events to targets, apart from the call that brought them; what fails to the end is dropped. */
export function createDelivery(onDropped: (dropped: Dropped) => void) {
  const stopping = new AbortController();

  const tryAll = async (receive: Receive, event: BusEvent, target: string): Promise<void> => {
    for (const pause of [...PAUSES, undefined]) {
      try {
        return await receive(event);
      } catch (error) {
        if (stopping.signal.aborted) return;
        if (pause === undefined) return onDropped({ event, target, error });
        await wait(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
        if (stopping.signal.aborted) return;
      }
    }
  };

  return {
    deliver(receive: Receive, event: BusEvent, target: string): void {
      void tryAll(receive, structuredClone(event), target);
    },
    stop: () => stopping.abort(),
  };
}
