/** A replay in words. */
import { plain } from '../../local/live/plain.ts';
import type { Replay, Replayed } from '../../replay/plan.ts';

const marks = { insert: '+', modify: '~', remove: '-' } as const;

/** One record: what it is, what it would cause in each sink, and why it would not. */
export function recordLine({ record, verdict, kind, expired, id, reason, plans }: Replayed): string {
  const place = String(record).padStart(4);
  const caused = Object.entries(plans).flatMap(([sink, requests]) => causedIn(sink, requests));
  const why = [expired && 'expired', reason].filter(Boolean).join(': ');
  if (verdict !== 'change') {
    const rest = caused.length === 0 ? '' : `; what could be read of it: ${caused.join(' · ')}`;
    return `${place}   ${verdict}: ${plain(why, 300)}${rest}`;
  }
  const told = caused.length === 0 ? 'nothing' : caused.join(' · ');
  return `${place} ${marks[kind ?? 'modify']} ${plain(id ?? '', 80)}  ${told}${why === '' ? '' : ` (${plain(why)})`}`;
}

function causedIn(sink: string, requests: Replayed['plans'][string]): string[] {
  if (!Array.isArray(requests)) return [`${sink} FAILS: ${plain(requests.failed)}`];
  return requests.length === 0 ? [] : [`${sink} ${requests.map(labelOf).join(', ')}`];
}

/** What a request is called in a line: a cache key is itself, others have a name of their own. */
function labelOf(request: unknown): string {
  if (typeof request === 'string') return plain(request, 60);
  const { name, email, kind } = Object(request) as Record<string, unknown>;
  const label = [name, email, kind].find((one) => typeof one === 'string');
  return typeof label === 'string' ? plain(label, 60) : 'one';
}

/** All of it in one line, before any of it is done. */
export function radiusOf(replays: readonly Replay[]): string {
  const records = replays.flatMap((replay) => replay.records);
  const verdicts = new Map<string, number>();
  for (const { verdict } of records) verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  const names = [...new Set(replays.flatMap(({ plans }) => Object.keys(plans)))];
  const counts = names.map((name) => {
    const count = replays.reduce((sum, { plans }) => sum + (plans[name]?.length ?? 0), 0);
    return `${name} ${count}`;
  });
  const told = [...verdicts].map(([verdict, count]) => `${count} ${verdict}`).join(', ');
  return `${records.length} record${records.length === 1 ? '' : 's'} (${told === '' ? 'none' : told}) would write: ${counts.join(', ')}.`;
}
