/** Any batch, any failures: the first record that failed is answered, and all that did not fail is delivered. */
import type { DynamoDBRecord } from 'aws-lambda';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Sink } from '../../src/pipeline/sink.ts';
import { fresh, lamp, nameOf, productAt } from '../sinks/items.ts';
import type { Conduct, Seen } from '../sinks/proxy.ts';
import { allTaken, from, openWorld } from '../sinks/world.ts';
import { eventOf, recordOf } from '../support/records.ts';
import { byItem, label, type Note, no, notebook } from './notebook.ts';

const world = await openWorld();

type Kind = 'change' | 'unchanged' | 'ignored' | 'poison';
type Step = { kind: Kind; item: number; fails: boolean };
type Entry = Step & { record: DynamoDBRecord; label: string };

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom<Kind>('change', 'change', 'change', 'unchanged', 'ignored', 'poison'),
    item: fc.nat(3),
    fails: fc.nat(3).map((number) => number === 0),
  }),
  { minLength: 1, maxLength: 14 },
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
    };
  });
}

/** The table refuses to hold these parked records, and takes the others. */
function refusing(entries: readonly Entry[]) {
  const ids = entries.filter(({ fails }) => fails).map(({ record }) => `record/${record.eventID}`);
  return ({ body }: Seen): Conduct => {
    const items: { Put: { Item: { pk: { S: string } } } }[] = JSON.parse(body).TransactItems ?? [];
    const reasons = items.map(({ Put }) => ({
      Code: ids.includes(Put.Item.pk.S) ? 'TransactionConflict' : 'None',
    }));
    if (reasons.every(({ Code }) => Code === 'None')) return undefined;
    const refusal = { __type: 'TransactionCanceledException', CancellationReasons: reasons };
    return { status: 400, body: JSON.stringify(refusal) };
  };
}

type Expected = { failed: Entry[]; delivered: Entry[] };

/** Which of the changes one sink must have delivered; where it must have failed follows from the rest. */
const rules: Record<Sink['kind'], (changes: readonly Entry[]) => Expected> = {
  // The newest of an item stands for all of them.
  view(changes) {
    const newest = new Map(changes.map((change) => [change.item, change]));
    const failed = changes.filter(({ item }) => newest.get(item)?.fails);
    return { failed, delivered: [...newest.values()].filter(({ fails }) => !fails) };
  },
  log: (changes) => ({
    failed: changes.filter(({ fails }) => fails),
    delivered: changes.filter(({ fails }) => !fails),
  }),
  // Behind a failed one of its item nothing goes out.
  act(changes) {
    const lost = new Set<number>();
    const failed = changes.filter(({ item, fails }) => lost.has(item) || (fails && lost.add(item)));
    return { failed, delivered: changes.filter((change) => !failed.includes(change)) };
  },
};

test.each([
  { reader: 'project', kinds: ['view', 'log'] },
  { reader: 'notify', kinds: ['act'] },
] as const)('$reader', async ({ reader, kinds }) => {
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const entries = batchOf(plan);
      const changes = entries.filter(({ kind }) => kind === 'change');
      const failing = new Set(changes.filter(({ fails }) => fails).map((entry) => entry.label));
      const delivered: Record<string, string[]> = {};
      const sinks = kinds.map((kind) => {
        const taken: string[] = [];
        delivered[kind] = taken;
        const newer = (one: Note, other: Note) => (one.version > other.version ? one : other);
        const target = kind === 'log' ? label : byItem;
        const answer = (note: Note) => {
          if (failing.has(label(note))) return no(false);
          taken.push(label(note));
          return { state: 'applied' } as const;
        };
        const limits = { count: 3, bytes: 1_000 };
        return notebook({
          kind,
          target,
          newer,
          answer,
          limits,
          plan: ({ key, version }) => [{ item: key.sk, version, bytes: 1 }],
        }).factory;
      });
      world.proxies.dynamodb.conduct = refusing(entries.filter(({ kind }) => kind === 'poison'));
      const answer = await world.takeBy({ sinks }, reader, eventOf(...entries.map(({ record }) => record)));

      const unparked = entries.filter(({ kind, fails }) => kind === 'poison' && fails);
      const failed = [...unparked, ...kinds.flatMap((kind) => rules[kind](changes).failed)];
      const first = entries.find((entry) => failed.includes(entry));
      expect(answer).toEqual(first === undefined ? allTaken : from(first.record));
      for (const kind of kinds) {
        const labels = rules[kind](changes).delivered.map((change) => change.label);
        expect(delivered[kind]?.toSorted()).toEqual(labels.toSorted());
      }
      for (const { kind, fails, record } of entries)
        expect(await world.parkedRows(record)).toHaveLength(kind === 'poison' && !fails ? 1 : 0);
    }),
    { numRuns: 40 },
  );
});
