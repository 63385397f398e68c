/** `sluice torture`: kills the pipeline's processes under load, and says which of its promises broke. */
import { randomInt } from 'node:crypto';
import type { RealServer } from '../local/torture/servers.ts';
import { type Tortured, type TortureParts, torture } from '../local/torture/torture.ts';

type Options = {
  kills: number;
  seed?: number;
  /** The share of requests to a service that go wrong. */
  sinkFaults: number;
  json: boolean;
  servers: readonly RealServer[];
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
  say(line: string): void;
  /** For what is of no use to a program. */
  mention(line: string): void;
};

/** Every so many kills it says how far it is. */
const step = 10;

/** Gives the exit status: 0 only if every promise was kept. */
export async function tortureHere(parts: TortureParts, options: Options): Promise<number> {
  const { seed = randomInt(1_000_000), json, say, mention, kills } = options;
  mention(`seed ${seed}`);
  const onKill = (count: number) => {
    if (count % step === 0 || count === kills) mention(`${count} of ${kills} killed`);
  };
  const tortured = await torture(parts, { ...options, seed, onKill });
  const broken = brokenIn(tortured);
  const ok = broken.length === 0;
  if (json) say(JSON.stringify({ ok, ...tortured }));
  else for (const line of lines(tortured, broken)) say(line);
  return ok ? 0 : 1;
}

type Broken = { promise: string; found: readonly string[] };

function brokenIn({ verdict, waiting, kills, attacked }: Tortured): Broken[] {
  const wasKilled = kills.functions > 0;
  const nothing = [
    ...(wasKilled && (attacked.events === 0 || attacked.mails === 0)
      ? ['no event or no mail went out between the kills: nothing is shown']
      : []),
    ...(verdict.cached === 0 ? ['the cache held nothing at the end: nothing is shown of it'] : []),
  ];
  const all = { ...verdict.broken, 'came to no rest': waiting, 'did nothing': nothing };
  return Object.entries(all)
    .filter(([, found]) => found.length > 0)
    .map(([promise, found]) => ({ promise, found }));
}

/** Of each broken promise so many cases are shown. */
const mostShown = 5;

function lines({ seed, kills, attacked, acts, verdict }: Tortured, broken: readonly Broken[]): string[] {
  const { functions, mapping, redrive, atPoints, frozen } = kills;
  const total = functions + mapping + redrive;
  const { servers } = kills;
  const { changes, items, events, mails, late, lateJudged, mailRepeats, mailsInDoubt, cached } = verdict;
  return [
    `seed ${seed}: ${total} kills (functions ${functions}, mapping ${mapping}, redrive ${redrive}), ` +
      `${atPoints} of them between two effects, ${frozen} after standing still` +
      (['killed', 'frozen'] as const)
        .flatMap((how) => Object.entries(servers[how]).map(([name, times]) => `; ${name} ${how} ${times}×`))
        .join(''),
    `meanwhile ${attacked.faults} of ${attacked.requests} requests went wrong, ${attacked.outages} outages, ` +
      `${attacked.events} events and ${attacked.mails} mails went out; ${acts} acts of users in all`,
    `${changes} changes of ${items} items, ${events} events, ${mails} mails, ${cached} cached values`,
    `allowed: ${late} events marked late${lateJudged ? '' : ' (with or without reason: a batch was given up)'}, ${mailRepeats} mails again after doubt (atLeastOnce), ` +
      `${mailsInDoubt} mails in doubt (atMostOnce)`,
    ...Object.entries(verdict.broken).map(([promise, found]) => `  ${promise.padEnd(32)} ${found.length}`),
    ...broken.flatMap(({ promise, found }) => [
      `BROKEN ${promise}: ${found.length}`,
      ...found.slice(0, mostShown).map((one) => `  ${one}`),
    ]),
    broken.length === 0 ? 'Every promise was kept.' : 'FAILED',
  ];
}
