/** What a log or an act must have caused, against what it has: each once, nothing else, and all its fields alike. */
import type { Fields } from '../../table/entity.ts';
import { counted, differing, type Finding, nothing } from './finding.ts';

/** `id` tells it from all others, and names it in what is found. */
export type Entry = { id: string; fields: Fields };

export function compareEntries(
  place: string,
  held: readonly Entry[],
  expected: readonly Entry[],
  repeatsAllowed: boolean,
): Finding {
  const finding = nothing();
  const known = new Map(expected.map(({ id, fields }) => [id, fields]));
  const times = counted(held.map(({ id }) => id));
  for (const id of known.keys()) if (!times.has(id)) finding.missing.push(`${place} lacks ${id}`);
  for (const [id, count] of times) {
    if (!known.has(id)) finding.doubled.push(`${place} has ${id}, which never happened`);
    else if (count > 1 && !repeatsAllowed) finding.doubled.push(`${place} has ${id} ${count} times`);
  }
  for (const { id, fields } of held) {
    const wrong = differing(fields, known.get(id) ?? fields);
    if (wrong.length > 0) finding.stale.push(`${place} has another ${wrong.join(', ')} of ${id}`);
  }
  return finding;
}
