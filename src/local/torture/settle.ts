/** Brings all to rest: what is on its way arrives, what waits falls due, until nothing waits any more. */
import { readdir } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { listParked } from '../../deliveries/list.ts';
import type { MailRow } from '../../mail/row.ts';
import { decodeImage } from '../../table/attributes.ts';
import { everyMinute, failuresIn } from '../home.ts';
import { scan } from '../proof/truth.ts';
import type { Stage } from './stage.ts';

type Parts = Pick<Stage, 'processes' | 'connections' | 'folder' | 'pass' | 'isIdle'>;

/** Longer than the longest wait between two tries, and than SES has to report. */
const pastWaits = 16 * 60_000;
const mostRounds = 20;

/** Gives what still waits when it gives up; nothing where all is at rest. */
export async function bringToRest(parts: Parts): Promise<string[]> {
  const { processes, pass, isIdle } = parts;
  let waiting: string[] = [];
  for (let round = 1; round <= mostRounds; round++) {
    while (!isIdle()) await wait(50);
    await processes.drain();
    waiting = await stillWaiting(parts);
    // What waits for nothing may still have a hold: that goes with a redrive.
    if (waiting.length === 0 && round > 1) return [];
    pass(pastWaits);
    await processes.invoke('redrive', 'redrive', {});
    await processes.invoke('redrive', 'mail', everyMinute);
  }
  return waiting;
}

async function stillWaiting({ connections, folder }: Parts): Promise<string[]> {
  const parked = await listParked(connections);
  const outbox = await scan(connections.dynamodb, connections.config.SLUICE_OUTBOX_TABLE);
  const failures = await readdir(failuresIn(folder)).catch(() => []);
  return [
    ...parked
      .filter(({ state }) => state === 'waiting')
      .map(({ sink, item, reason }) => `${sink} ${item}: ${reason}`),
    ...outbox
      .map((image) => decodeImage(image) as MailRow)
      .filter(isOpen)
      .map(({ pk, email, state }) => `the mail ${email} of ${pk} is ${state}`),
    ...failures.filter((name) => name.endsWith('.json')).map((name) => `the failed batch ${name}`),
  ];
}

/** A mail of which nobody knows whether it went out, and that must not go twice, waits for a person. */
function isOpen({ state, policy }: MailRow): boolean {
  return state === 'unknown' ? policy === 'atLeastOnce' : state !== 'sent' && state !== 'refused';
}
