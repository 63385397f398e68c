/**
 * Any batch, any failures, of the services and of the deliveries table: the answered position is the first record
 * that is neither delivered nor parked, all others are either, nothing twice; in the end all of it has arrived.
 */
import type { DynamoDBRecord } from 'aws-lambda';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readParked } from '../../src/deliveries/records.ts';
import { unitOf } from '../../src/deliveries/rows.ts';
import type { Answer, Sink } from '../../src/pipeline/sink.ts';
import { fresh, lamp, nameOf, productAt } from '../sinks/items.ts';
import { type Conduct, json, type Seen } from '../sinks/proxy.ts';
import { allTaken, from, openWorld } from '../sinks/world.ts';
import { eventOf, recordOf } from '../support/records.ts';
import { byItem, label, type Note, no, notebook } from './notebook.ts';

const world = await openWorld();

type Kind = 'change' | 'unchanged' | 'ignored' | 'poison';
/** What the services say of a change: yes, not now, or never. */
type Verdict = 'taken' | 'waiting' | 'refused';
type Step = {
  kind: Kind;
  item: number;
  verdict: Verdict;
  /** Whether the deliveries table takes the row of it. */
  fits: boolean;
};
type Entry = Step & { record: DynamoDBRecord; label: string; name: string };

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom<Kind>('change', 'change', 'change', 'unchanged', 'ignored', 'poison'),
    item: fc.nat(3),
    verdict: fc.constantFrom<Verdict>('taken', 'taken', 'taken', 'taken', 'waiting', 'refused'),
    fits: fc.nat(3).map((number) => number > 0),
  }),
  { minLength: 1, maxLength: 14 },
);
/** Whether the deliveries table takes the holds of each item. */
const holdable = fc.array(
  fc.nat(3).map((number) => number > 0),
  { minLength: 4, maxLength: 4 },
);

/** The batch of these steps: each change is the next version of its item. */
function batchOf(plan: readonly Step[]): Entry[] {
  const [ids, versions] = [[0, 1, 2, 3].map(() => fresh('p')), [0, 0, 0, 0]];
  return plan.map((step) => {
    const id = `${ids[step.item]}`;
    if (step.kind === 'change') versions[step.item] = (versions[step.item] ?? 0) + 1;
    const at = Math.max(1, versions[step.item] ?? 1);
    const form = productAt(at, lamp(id));
    const forms = {
      change: { before: at === 1 ? undefined : productAt(at - 1, lamp(id)), after: form },
      unchanged: { before: form, after: { ...form } },
      ignored: { after: { pk: `X#${id}`, sk: 'X' } },
      poison: { after: { ...form, price: 'much' } },
    };
    return {
      ...step,
      record: recordOf(forms[step.kind]),
      label: label({ item: nameOf(form), version: at, bytes: 1 }),
      name: nameOf(form),
    };
  });
}

type Put = { Put: { Item: { pk: { S: string }; sk: { S: string } } } };

/** The deliveries table refuses these rows and holds, and takes the others. */
function refusing(entries: readonly Entry[], holds: readonly boolean[]) {
  const misfits = entries.filter(({ fits }) => !fits);
  const records = new Set(misfits.map(({ record }) => `record/${record.eventID}`));
  const places = misfits.flatMap(({ kind, record }) =>
    kind === 'change' ? [String(record.dynamodb?.SequenceNumber)] : [],
  );
  const unheld = entries.flatMap(({ item, name }) => (holds[item] ? [] : [name]));
  const isRefused = (pk: string, sk: string) =>
    records.has(pk) || (sk.startsWith('change/') && places.some((place) => sk.includes(place)));
  return ({ operation, body }: Seen): Conduct => {
    if (operation === 'UpdateItem') {
      const { Key } = JSON.parse(body) as { Key: { pk: { S: string } } };
      const isUnheld = unheld.some((name) => Key.pk.S.endsWith(`/${name}`));
      return isUnheld ? json(400, { __type: 'AccessDeniedException', message: 'no' }) : undefined;
    }
    if (operation !== 'TransactWriteItems') return undefined;
    const { TransactItems } = JSON.parse(body) as { TransactItems: Put[] };
    const CancellationReasons = TransactItems.map(({ Put: { Item } }) => ({
      Code: isRefused(Item.pk.S, Item.sk.S) ? 'TransactionConflict' : 'None',
    }));
    if (CancellationReasons.every(({ Code }) => Code === 'None')) return undefined;
    return json(400, { __type: 'TransactionCanceledException', CancellationReasons });
  };
}

type Outcome = { entry: Entry; verdict: Verdict };

/** What must come of the changes in one kind of sink. */
const rules: Record<Sink['kind'], (changes: readonly Entry[]) => Outcome[]> = {
  // The newest of an item stands for all of them.
  view(changes) {
    const newest = new Map(changes.map((change) => [change.item, change]));
    return changes.map((entry) => ({ entry, verdict: newest.get(entry.item)?.verdict ?? 'taken' }));
  },
  log: (changes) => changes.map((entry) => ({ entry, verdict: entry.verdict })),
  // Behind one that waits nothing of its item goes out; one that is refused holds nobody.
  act(changes) {
    const held = new Set<number>();
    return changes.map((entry) => {
      if (entry.verdict === 'waiting') held.add(entry.item);
      return { entry, verdict: held.has(entry.item) ? 'waiting' : entry.verdict };
    });
  },
};

/** Of what was not taken, what could not be parked either. An item of which anything waits needs its hold, and first. */
function lostOf(outcomes: readonly Outcome[], byItem: boolean, holds: readonly boolean[]): Entry[] {
  const failed = outcomes.filter(({ verdict }) => verdict !== 'taken');
  const written = failed.filter(({ entry }) => byItem || entry.fits);
  const held = failed.filter(({ verdict }) => byItem || verdict === 'waiting');
  const unheld = new Set(held.flatMap(({ entry: { item } }) => (holds[item] ? [] : [item])));
  return failed
    .filter((one) => !written.includes(one) || unheld.has(one.entry.item))
    .map(({ entry }) => entry);
}

const newer = (one: Note, other: Note) => (one.version > other.version ? one : other);

/** A sink that takes what the steps say, and later everything but what is refused for good. */
function openSink(kind: Sink['kind'], changes: readonly Entry[], byOwnItem: boolean) {
  const verdicts = new Map(changes.map((entry) => [entry.label, entry.verdict]));
  const taken: string[] = [];
  const self = { taken, isWell: false, byItem: byOwnItem };
  const answer = (note: Note): Answer => {
    const verdict = verdicts.get(label(note));
    if (verdict === 'refused' || (verdict === 'waiting' && !self.isWell)) return no(verdict === 'waiting');
    taken.push(label(note));
    return { state: 'applied' };
  };
  const book = notebook({
    kind,
    target: kind === 'log' ? label : byItem,
    newer,
    answer,
    limits: { count: 3, bytes: 1_000 },
    plan: ({ key, version }) => [{ item: key.sk, version, bytes: 1 }],
    ...(byOwnItem && {
      recover: async ({ key, version }) => [{ item: key.sk, version, bytes: 1 }],
    }),
  });
  return Object.assign(self, { kind, name: book.name, factory: book.factory });
}

const labels = (entries: readonly Entry[]) => entries.map((entry) => entry.label);

/** What a sink must have been given of these: of a view the newest of each item. */
function due(kind: Sink['kind'], outcomes: readonly Outcome[]): string[] {
  const taken = outcomes.flatMap(({ entry, verdict }) => (verdict === 'taken' ? [entry] : []));
  return labels(kind === 'view' ? [...new Map(taken.map((entry) => [entry.item, entry])).values()] : taken);
}

test.each([
  { reader: 'project', kinds: ['view', 'view', 'log'] },
  { reader: 'notify', kinds: ['act'] },
] as const)(
  '$reader',
  async ({ reader, kinds }) => {
    await fc.assert(
      fc.asyncProperty(steps, holdable, async (plan, holds) => {
        const entries = batchOf(plan);
        const changes = entries.filter(({ kind }) => kind === 'change');
        const sinks = kinds.map((kind, index) => openSink(kind, changes, kind === 'view' && index === 0));
        const factories = { sinks: sinks.map(({ factory }) => factory) };
        const take = (some: readonly Entry[]) =>
          world.takeBy(factories, reader, eventOf(...some.map(({ record }) => record)));
        world.proxies.dynamodb.conduct = refusing(entries, holds);

        const answer = await take(entries);
        const lost = [
          ...entries.filter(({ kind, fits }) => kind === 'poison' && !fits),
          ...sinks.flatMap((sink) => lostOf(rules[sink.kind](changes), sink.byItem, holds)),
        ];
        const first = entries.findIndex((entry) => lost.includes(entry));
        expect(answer).toEqual(first < 0 ? allTaken : from(entries[first]?.record));
        for (const { kind, taken } of sinks)
          expect(taken.toSorted()).toEqual(due(kind, rules[kind](changes)).toSorted());
        for (const { kind, fits, record } of entries)
          expect(await world.parkedRows(record)).toHaveLength(kind === 'poison' && fits ? 1 : 0);

        // Lambda comes again from there, now that everything can be parked; the services are as they were.
        world.proxies.dynamodb.calm();
        if (first >= 0) expect(await take(entries.slice(first))).toEqual(allTaken);
        const rows = await world.allParkedRows();
        for (const { kind, record } of entries)
          if (kind === 'poison') expect(readParked(rows).map((row) => row.record)).toContainEqual(record);
        for (const { kind, name, byItem: isByItem } of sinks) {
          const failed = rules[kind](changes).filter(({ verdict }) => verdict !== 'taken');
          for (const { entry, verdict } of failed) {
            // At an act even one that is refused waits its turn, if it comes again when its item is held.
            const isHeld = ({ entry: { item }, verdict }: Outcome) =>
              kind === 'act' && item === entry.item && verdict === 'waiting';
            const expected = failed.some(isHeld) ? ['waiting', verdict] : [verdict];
            const own = rows.filter(({ pk }) => pk === unitOf(name, entry.name));
            const states = own.flatMap(({ sk, state }) =>
              isByItem || String(sk).includes(String(entry.record.dynamodb?.SequenceNumber)) ? [state] : [],
            );
            expect(states).toHaveLength(1);
            expect(expected).toContain(states[0]);
            if (verdict === 'waiting') expect(own).toContainEqual(expect.objectContaining({ sk: 'hold' }));
          }
        }

        // In the end all that is not refused for good has arrived, an act's changes in order.
        for (const sink of sinks) sink.isWell = true;
        await world.redrive(factories);
        for (const { kind, name, taken } of sinks) {
          const fit = changes.filter(({ verdict }) => verdict !== 'refused');
          const arrived = [...new Set(taken)];
          if (kind !== 'view') expect(arrived.toSorted()).toEqual(labels(fit).toSorted());
          if (kind === 'act')
            for (const item of [0, 1, 2, 3]) {
              const own = labels(fit.filter((entry) => entry.item === item));
              expect(arrived.filter((text) => own.includes(text))).toEqual(own);
            }
          const newest = new Map(changes.map((entry) => [entry.item, entry]));
          if (kind === 'view')
            for (const entry of newest.values())
              expect(arrived.includes(entry.label)).toBe(entry.verdict !== 'refused');
          for (const entry of changes)
            expect((await world.hold(name, entry.name))?.state).not.toBe('waiting');
        }
      }),
      { numRuns: 25 },
    );
  },
  120_000,
);
