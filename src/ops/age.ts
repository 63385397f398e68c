/** How long ago something was, for a person to read. Times are epoch milliseconds. */

export function ageText(since: number | undefined, now: number): string {
  if (since === undefined) return 'an unknown time';
  return `${new Date(since).toISOString().slice(0, 19)}Z (${durationText(now - since)})`;
}

export function durationText(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
