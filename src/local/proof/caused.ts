/**
 * What a day says that it causes, against what was received. All other comparisons take from the decoder what
 * happened, so none of them can see what it overlooks: these figures were written by hand.
 */
import type { MailRow } from '../../mail/row.ts';
import { tagOf } from '../../mail/row.ts';
import { rowTag } from '../../mail/ses.ts';
import { decodeImage, type Image } from '../../table/attributes.ts';
import type { Change } from '../../table/change.ts';
import type { BusEvent } from '../servers/bus.ts';
import type { SentMessage } from '../servers/mail.ts';
import { counted, type Finding, joined, nothing } from './finding.ts';

type Counts = Readonly<Record<string, number>>;

export type Caused = {
  /** Changes that the stream shows, those that Sluice itself makes included. */
  changes?: Partial<Record<Change['kind'], number>>;
  /** By name, as subscribers know it; each once, however often it came. */
  events?: Counts;
  mails?: Counts;
  /** Records of ours that do not fit, and so are no changes. */
  parked?: number;
};

type Received = {
  changes: readonly Change[];
  events: readonly BusEvent[];
  mails: readonly SentMessage[];
  outbox: readonly Image[];
};

export function compareCaused(caused: Caused, { changes, events, mails, outbox }: Received): Finding {
  const kinds = changes.map(({ kind }) => kind);
  const distinct = new Map(events.map((event) => [JSON.stringify(nameAndId(event)), event['detail-type']]));
  const rows = outbox.map((image) => decodeImage(image) as MailRow);
  const emails = new Map(rows.map((row) => [tagOf(row), row.email]));
  const sent = mails.map(({ tags }) => emails.get(tags[rowTag] ?? '') ?? 'of no row');
  return joined([
    compareCounts('changes of kind', caused.changes ?? {}, kinds),
    compareCounts('events', caused.events ?? {}, [...distinct.values()]),
    compareCounts('mails', caused.mails ?? {}, sent),
  ]);
}

function compareCounts(what: string, expected: Counts, found: readonly string[]): Finding {
  const finding = nothing();
  const counts = counted(found);
  for (const name of new Set([...Object.keys(expected), ...counts.keys()])) {
    const [wanted, came] = [expected[name] ?? 0, counts.get(name) ?? 0];
    const said = `the day causes ${wanted} ${what} ${name}, ${came} came`;
    if (came < wanted) finding.missing.push(said);
    if (came > wanted) finding.doubled.push(said);
  }
  return finding;
}

function nameAndId({ 'detail-type': name, detail }: BusEvent): unknown[] {
  const { meta } = detail as { meta?: { eventId?: unknown } };
  return [name, meta?.eventId];
}

/** What all of them cause together; nothing where none of them says. */
export function causedTogether(parts: readonly { causes?: Caused }[]): Caused | undefined {
  const said = parts.flatMap(({ causes }) => causes ?? []);
  if (said.length === 0) return undefined;
  const sum = (all: (Counts | undefined)[]) => {
    const total: Record<string, number> = {};
    for (const [name, count] of all.flatMap((counts) => Object.entries(counts ?? {})))
      total[name] = (total[name] ?? 0) + count;
    return total;
  };
  return {
    changes: sum(said.map(({ changes }) => changes)),
    events: sum(said.map(({ events }) => events)),
    mails: sum(said.map(({ mails }) => mails)),
    parked: said.reduce((total, { parked = 0 }) => total + parked, 0),
  };
}
