/** `sluice redrive`: tries parked deliveries now, after saying what that would do. */

import type { Connections } from '../connections.ts';
import { removeDelivery } from '../deliveries/discard.ts';
import { listParked, type ParkedDelivery } from '../deliveries/list.ts';
import { type RedriveCounts, redriveItem } from '../deliveries/redrive.ts';
import { redriveRecord } from '../deliveries/redriveRecord.ts';
import { readSwitches } from '../deliveries/switches.ts';
import { plain } from '../local/live/plain.ts';
import type { App } from '../pipeline/app.ts';
import { type Aim, connected } from './connected.ts';

export type Chosen = {
  sink?: string | undefined;
  item?: string | undefined;
  /** Also what was refused or is dead; acts among it go out late. */
  settled: boolean;
  /** Sinks that are off in the deployment too: a record that can be read by now need not reach them. */
  without: readonly string[];
};

type Options = Aim &
  Chosen & {
    /** The sinks that there are. */
    names: readonly string[];
    dryRun: boolean;
    say(line: string): void;
    /** Asks whoever sits at the terminal; nothing where nobody does. */
    ask: ((question: string) => Promise<boolean>) | undefined;
  };

const patience = 10 * 60_000;
const acts = new Set(['email', 'bus']);

export function redriveByHand(app: App, options: Options): Promise<number> {
  const { dryRun, say, ask } = options;
  return connected(options, async (connections, where) => {
    const { sink, names } = options;
    const unknown = [...(sink === undefined ? [] : [sink]), ...options.without].find(
      (name) => !names.includes(name),
    );
    if (unknown !== undefined)
      throw new Error(`There is no sink ${plain(unknown)} here. There are ${names.join(', ')}.`);
    const switches = await readSwitches(connections, names);
    const isPaused = (name: string | undefined) => name !== undefined && switches.get(name)?.paused === true;
    const all = (await listParked(connections)).filter((delivery) => isChosen(delivery, options));
    const chosen = all.filter((delivery) => !isPaused(delivery.sink));
    for (const name of names.filter(isPaused))
      say(`${name} is paused: nothing of it is tried. Go on with: sluice resume ${name}`);
    say(radiusOf(chosen, where));
    if (chosen.length === 0) return options.item === undefined ? 0 : 1;
    if (dryRun) return 0;
    const touches = chosen.some(({ sink }) => sink === undefined || acts.has(sink));
    if (touches && ask !== undefined && !(await ask('Mails or events may go out. Go on?'))) {
      say('Nothing was sent.');
      return 1;
    }
    const { counts, left } = await redriveAll(app, connections, chosen, options);
    for (const [sink, of] of Object.entries(counts)) say(`  ${sink.padEnd(9)} ${countsText(of)}`);
    for (const line of left) say(line);
    return left.length === 0 && Object.values(counts).every((of) => of.waiting + of.refused + of.dead === 0)
      ? 0
      : 1;
  });
}

function isChosen(delivery: ParkedDelivery, { sink, item, settled }: Chosen): boolean {
  if (sink !== undefined && delivery.sink !== sink) return false;
  if (item !== undefined && delivery.item !== item && delivery.change !== item) return false;
  return settled || delivery.state === 'waiting';
}

function radiusOf(chosen: readonly ParkedDelivery[], where: string): string {
  if (chosen.length === 0) return `Nothing of that is parked in ${where}.`;
  const bySink = Map.groupBy(chosen, ({ sink }) => sink ?? 'unreadable records');
  const parts = [...bySink].map(([sink, those]) => {
    const late = acts.has(sink) ? those.filter(({ state }) => state !== 'waiting').length : 0;
    return `${sink} ${those.length}${late > 0 ? ` (${late} of them late)` : ''}`;
  });
  return `This tries ${parts.join(', ')} again in ${where}.`;
}

async function redriveAll(
  app: App,
  connections: Connections,
  chosen: readonly ParkedDelivery[],
  { settled, names, without }: Pick<Options, 'settled' | 'names' | 'without'>,
): Promise<{ counts: Record<string, RedriveCounts>; left: string[] }> {
  const counts: Record<string, RedriveCounts> = {};
  const left: string[] = [];
  const signal = connections.deadline(patience);
  const wanted = names.filter((name) => !without.includes(name));
  const units = new Map(
    chosen.map((delivery) => {
      const { sink, item, change } = delivery;
      return [`${sink}/${item}/${sink === undefined ? change : ''}`, delivery];
    }),
  );
  for (const delivery of units.values()) {
    const { sink, item } = delivery;
    if (sink === undefined) {
      const why = await redriveRecord(app, connections, delivery, wanted);
      if (why === undefined) await removeDelivery(connections, delivery);
      else left.push(`  the record ${plain(item)} cannot be taken yet: ${plain(why)}`);
      continue;
    }
    if (!names.includes(sink)) {
      left.push(`  there is no sink ${plain(sink)} any more: what is parked for it waits`);
      continue;
    }
    const { sinks } = await redriveItem(app, connections, { sink, item, settled }, { signal });
    for (const [name, of] of Object.entries(sinks)) counts[name] = sum(counts[name], of);
  }
  return { counts, left };
}

function sum(one: RedriveCounts | undefined, other: RedriveCounts): RedriveCounts {
  if (one === undefined) return other;
  const names = Object.keys(other) as (keyof RedriveCounts)[];
  return Object.fromEntries(names.map((name) => [name, one[name] + other[name]])) as RedriveCounts;
}

function countsText(counts: RedriveCounts): string {
  const told = Object.entries(counts).flatMap(([state, count]) => (count > 0 ? [`${count} ${state}`] : []));
  return told.length === 0 ? 'nothing' : told.join(', ');
}
