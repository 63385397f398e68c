/** `sluice deliveries`: what is parked, why, since when, and how long it will take to drain. */
import { listParked, type ParkedDelivery } from '../deliveries/list.ts';
import { knownRate } from '../deliveries/rate.ts';
import { readSwitches } from '../deliveries/switches.ts';
import { plain } from '../local/live/plain.ts';
import { ageText, durationText } from './age.ts';
import { type Aim, connected } from './connected.ts';

type Options = Aim & {
  /** The sinks that there are. */
  names: readonly string[];
  json: boolean;
  now(): number;
  say(line: string): void;
};

export function showDeliveries({ names, json, now, say, ...aim }: Options): Promise<number> {
  return connected(aim, async (connections) => {
    const parked = await listParked(connections);
    if (json) {
      for (const delivery of parked) say(JSON.stringify(delivery));
      return 0;
    }
    const sinks = [...new Set(parked.map(({ sink }) => sink))];
    const switches = await readSwitches(connections, names);
    const rate = await knownRate(connections);
    if (parked.length === 0) say('Nothing is parked.');
    for (const name of names)
      if (switches.get(name)?.paused && !sinks.includes(name))
        say(`${name}: PAUSED; nothing of it is parked`);
    for (const sink of sinks) {
      const ofSink = parked.filter((delivery) => delivery.sink === sink);
      const paused = sink !== undefined && switches.get(sink)?.paused === true;
      for (const line of sinkLines(sink, ofSink, { paused, rate, now: now() })) say(line);
    }
    return 0;
  });
}

type Known = { paused: boolean; rate: number | undefined; now: number };

function sinkLines(sink: string | undefined, parked: readonly ParkedDelivery[], known: Known): string[] {
  const waiting = parked.filter(({ state }) => state === 'waiting');
  const counts = (['waiting', 'refused', 'dead'] as const).flatMap((state) => {
    const count = parked.filter((delivery) => delivery.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  const name = sink ?? 'records that cannot be read';
  const paused = known.paused ? ', PAUSED' : '';
  const drain = waiting.length === 0 ? '' : `; ${drainText(waiting, known)}`;
  // Their parking was cut off halfway; the batch that they were in has come again.
  const unheld = waiting.filter(({ due }) => due === undefined).length;
  const reasons = Map.groupBy(parked, ({ state, reason }) => `${state}: ${plain(reason, 100)}`);
  return [
    `${name}: ${counts.join(', ')}${paused}; the oldest since ${ageText(parked[0]?.since, known.now)}${drain}`,
    ...(unheld > 0
      ? [`  ${unheld} of them wait without a hold: redrive tries them 20 min after they were parked, late`]
      : []),
    ...[...reasons]
      .slice(0, 5)
      .map(([why, those]) => `  ${those.length} × ${why}, such as ${exampleOf(those)}`),
  ];
}

function exampleOf([first]: readonly ParkedDelivery[]): string {
  const name = plain(first?.item ?? '', 300);
  return first?.keys === undefined ? name : `${name} (of ${plain(first.keys, 300)})`;
}

function drainText(waiting: readonly ParkedDelivery[], { paused, rate, now }: Known): string {
  if (paused) return 'it drains once it is resumed';
  const next = Math.max(0, Math.min(...waiting.map(({ due }) => due ?? now)) - now);
  const begins = `the next try in ${durationText(next)}`;
  if (rate === undefined) return begins;
  const items = new Set(waiting.map(({ item }) => item)).size;
  return `${begins}, then about ${durationText(Math.max(1_000, items * rate))} if its service is well`;
}
