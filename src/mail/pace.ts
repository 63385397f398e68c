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
  let next = 0;
  return async function mayGo() {
    const at = Math.max(now(), next);
    next = at + gap;
    const rest = at - now();
    if (rest > 0) await wait(rest);
  };
}
