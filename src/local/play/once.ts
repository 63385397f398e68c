/** Plays a day, proves the end state, attacks, and proves it again. */
import { type Watch, watchChanges } from '../live/watch.ts';
import { type Caused, causedTogether } from '../proof/caused.ts';
import { attack } from './attack.ts';
import { type Comparison, compareAll } from './compare.ts';
import { line, type Play, playDay } from './day.ts';
import { broughtHome, playOutage } from './outage.ts';

export type { Play };

export type Proof = {
  ok: boolean;
  items: number;
  sinks: number;
  missing: number;
  stale: number;
  doubled: number;
  repeats: number;
  parked: number;
  /** What a replay has brought that never happened here: it is left out. */
  replayed: number;
  /** What was found wrong, each naming its place. */
  findings: string[];
};

export async function playOnce(play: Play): Promise<Proof> {
  const watch = watchChanges(play.warn, play.live);
  try {
    await playDay(play, watch);
    const caused = causedTogether(play.day);
    const before = await compareAll(play.home, play.readsOf, false, caused);
    if (play.outage === undefined)
      return await attackAndProve(play, watch, before, caused?.parked ?? 0, caused);
    const dayProof = proofOf(before, before, 0, []);
    if (!dayProof.ok) return dayProof;
    await playOutage(play.home, play.outage, play.say);
    const after = await compareAll(play.home, play.readsOf, false);
    return await attackAndProve(play, watch, after, before.parked);
  } finally {
    watch.stop();
  }
}

/** Proves what an earlier run has left, once all that was on its way has arrived. */
export async function proveAgain({ home, readsOf, say }: Play): Promise<Proof> {
  await home.settle();
  const found = await compareAll(home, readsOf, true);
  say(`${found.items} items are there from before; the day is not played again`);
  return proofOf(found, found, 0, []);
}

/**
 * Hands everything to the handlers again, and compares. `known`: how many were parked for good reason before it.
 * `caused`: what the day says that it causes, as long as nothing else has happened.
 */
export async function attackAndProve(
  play: Play,
  watch: Watch,
  before: Comparison,
  known: number,
  caused?: Caused,
): Promise<Proof> {
  const { home, readsOf, say } = play;
  watch.show(false);
  watch.counts();
  const { repeats, refused } = await attack(home);
  await home.settle();
  await broughtHome(home);
  say(line('all of it again, three times, shuffled', watch.counts()));
  watch.show(true);
  const after = await compareAll(home, readsOf, true, caused);
  // The attack's own poison comes on top, once in each run; the first time is right after the day.
  const expected = caused === undefined ? [known, known + 1] : [known + 1];
  return proofOf(before, after, repeats, [...refused, ...wronglyParked(before, after, known, expected)]);
}

/** The poison of the attack is parked once, however often it comes; nothing else is. */
function wronglyParked(
  before: Comparison,
  after: Comparison,
  known: number,
  expected: readonly number[],
): string[] {
  if (before.parked === known && expected.includes(after.parked)) return [];
  return [`${before.parked}, then ${after.parked} parked; expected ${known}, then ${expected.join(' or ')}`];
}

function proofOf(before: Comparison, after: Comparison, repeats: number, others: string[]): Proof {
  const both = [before, after];
  const findings = [
    ...new Set([
      ...both.flatMap(({ missing, stale, doubled }) => [...missing, ...stale, ...doubled]),
      ...others,
    ]),
  ];
  const most = (kind: 'missing' | 'stale' | 'doubled') =>
    Math.max(...both.map((comparison) => comparison[kind].length));
  return {
    ok: findings.length === 0,
    items: after.items,
    sinks: after.sinks,
    missing: most('missing'),
    stale: most('stale'),
    doubled: most('doubled'),
    repeats,
    parked: after.parked,
    replayed: after.replayed,
    findings,
  };
}

/** The proof in a line, and below it what is wrong, if anything is. */
export function proofLines({
  ok,
  items,
  sinks,
  missing,
  stale,
  doubled,
  repeats,
  parked,
  replayed,
  findings,
}: Proof): string[] {
  const again = repeats === 0 ? '' : ` (and again after ${repeats} repeats)`;
  const figures = `${missing} missing, ${stale} stale, ${doubled} doubled${again}`;
  return [
    `${parked} parked${parked === 1 ? ', as expected' : ''}`,
    ...(replayed === 0
      ? []
      : [`${replayed} brought by a replay, of changes that never happened here: left out`]),
    `PROOF ${items} items × ${sinks} sinks: ${figures}`,
    ...(ok ? [] : ['FAILED', ...findings.map((finding) => `  ${finding}`)]),
  ];
}
