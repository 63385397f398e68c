/** The sender's pace: SES allows so many mails a second, and this function is the only one that sends. */

export type Pace = () => Promise<void>;

/** Each call settles when its mail may go: never more than `perSecond` in any second, however many wait. */
export function openPace({
  perSecond,
  now,
  wait,
}: {
  perSecond: number;
  now(): number;
  wait(milliseconds: number): Promise<void>;
}): Pace {
  const gap = 1_000 / perSecond;
  let [next, seen] = [0, 0];
  return async function mayGo() {
    const present = now();
    // A clock that is put back takes what was promised by it along: nobody waits for the time that it lost.
    next -= Math.max(0, seen - present);
    seen = present;
    const at = Math.max(present, next);
    next = at + gap;
    if (at > present) await wait(at - present);
  };
}
