/** When a parked delivery is tried again: soon at first, then twice as long each time, never in step with others. */

const firstMilliseconds = 5_000;
const longestMilliseconds = 15 * 60_000;

/** Attempts that were answered about the delivery itself, after which a person must look. */
export const mostAttempts = 20;

/** `random`: from 0 to 1. */
export function backoffMilliseconds(tries: number, random: number): number {
  const longest = Math.min(longestMilliseconds, firstMilliseconds * 2 ** Math.max(0, tries - 1));
  return Math.round(longest / 2 + (longest / 2) * random);
}
