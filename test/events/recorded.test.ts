/** The recordings that are checked in: their shape, that the derived ones are derived, and what they show. */
import { readdirSync, readFileSync } from 'node:fs';
import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { derivedFiles } from '../../events/derive.ts';
import { scenes } from '../../events/scenes.ts';
import { app } from '../../src/app.ts';
import { eventsOf } from '../../src/table/events.ts';
import type { StreamRecord } from '../../src/table/record.ts';
import { recordingSchema } from './recordingSchema.ts';

const folder = new URL('../../events/recorded/', import.meta.url);
const files = readdirSync(folder).sort();
const text = (name: string) => readFileSync(new URL(name, folder), 'utf8');
const records = (name: string): DynamoDBRecord[] => JSON.parse(text(`${name}.json`)).Records;
const verdicts = (name: string) => records(name).map((record) => app.decode(record as StreamRecord));
const changes = (name: string) =>
  verdicts(name).flatMap((decoded) => (decoded.verdict === 'change' ? [decoded.change] : []));
const kinds = (name: string) => changes(name).map(({ entity, kind }) => `${entity.name} ${kind}`);
const events = (name: string) =>
  changes(name).flatMap((change) => eventsOf(change).map((event) => event.name));

test('there is one recording for each scene, the derived ones, and nothing else', () => {
  const made = [...scenes.map(({ name }) => `${name}.json`), ...derivedFiles().map(({ name }) => name)];
  expect(files).toEqual(made.sort());
  expect(files.length).toBeGreaterThanOrEqual(12);
});

describe.each(files)('%s', (name) => {
  test('is exactly what Lambda sends', () => {
    recordingSchema.parse(JSON.parse(text(name)));
  });

  test('is written as all are, and within 400 KB', () => {
    expect(text(name)).toBe(`${JSON.stringify(JSON.parse(text(name)), null, 2)}\n`);
    expect(Buffer.byteLength(text(name))).toBeLessThan(400_000);
  });

  test('knows only addresses at example.com', () => {
    for (const [, domain] of text(name).matchAll(/@([^"\s]*)/g)) expect(domain).toBe('example.com');
  });
});

test.each(derivedFiles())(
  '$name is what its derivation makes of the recording now',
  ({ name, text: made }) => {
    expect(text(name)).toBe(made);
  },
);

test('within a recording each event has an id of its own, save where it was delivered twice', () => {
  for (const name of files.filter((one) => !one.includes('duplicates'))) {
    const ids = JSON.parse(text(name)).Records.map(({ eventID }: DynamoDBRecord) => eventID);
    expect(new Set(ids).size, name).toBe(ids.length);
  }
});

test.each([
  ['customer-registered', ['CustomerRegistered']],
  ['product-added', ['ProductAdded']],
  ['order-placed', ['OrderPlaced']],
  ['order-paid', ['OrderPaid']],
  ['order-shipped', ['OrderShipped']],
  ['order-cancelled', ['OrderCancelled']],
  ['product-restocked', ['ProductRestocked']],
  ['customer-removed-and-created-again', ['CustomerRemoved', 'CustomerRegistered']],
])('%s tells of %j', (name, expected) => {
  expect(events(name)).toEqual(expected);
});

test('the mixed batch has every entity, and insertion, modification and removal', () => {
  const shown = kinds('mixed-batch');
  expect(new Set(shown.map((kind) => kind.split(' ')[0]))).toEqual(new Set(['Customer', 'Order', 'Product']));
  expect(new Set(shown.map((kind) => kind.split(' ')[1]))).toEqual(new Set(['insert', 'modify', 'remove']));
});

test('an item of no known entity stands among ours', () => {
  expect(verdicts('unknown-item').map(({ verdict }) => verdict)).toEqual(['change', 'ignored', 'change']);
});

test('every attribute type is there', () => {
  const used = new Set(text('every-attribute-type.json').match(/"(S|N|B|BOOL|NULL|SS|NS|BS|L|M)":/g));
  expect(used.size).toBe(10);
});

test('the large batch is full', () => {
  expect(records('large-batch').length).toBeGreaterThanOrEqual(100);
});

test('what a recording shows is exact', () => {
  for (const { name } of scenes)
    expect(
      changes(name).filter(({ inexact }) => inexact !== undefined),
      name,
    ).toEqual([]);
});

test('an expiry is known as one, a deletion by others as theirs', () => {
  const [expiry] = changes('order-cancelled.derived-expired');
  expect(expiry).toMatchObject({ kind: 'remove', expired: true, inexact: 'removed by its time to live' });
  const deletion = changes('product-restocked.derived-deleted-by-others').at(-1);
  expect(deletion).toMatchObject({ kind: 'remove', expired: false, inexact: 'deleted past Sluice' });
});

test('an edit that leaves the version alone is inexact', () => {
  const edit = changes('product-restocked.derived-edited-without-new-version').at(-1);
  expect(edit).toMatchObject({ kind: 'modify', inexact: 'changed without a new version' });
});

test('one record is poison, and all others are good', () => {
  const all = verdicts('mixed-batch.derived-poison-record').map(({ verdict }) => verdict);
  expect(all.filter((verdict) => verdict === 'parked')).toHaveLength(1);
  expect(all.filter((verdict) => verdict === 'change')).toHaveLength(all.length - 1);
  expect(all[0]).toBe('change');
});

test('the order is another, the records are the same', () => {
  expect(records('mixed-batch.derived-out-of-order').toReversed()).toEqual(records('mixed-batch'));
  const twice = records('mixed-batch.derived-duplicates');
  const once = records('mixed-batch');
  expect(twice.length).toBeGreaterThan(once.length);
  expect(new Map(twice.map((record) => [record.eventID, record]))).toEqual(
    new Map(once.map((record) => [record.eventID, record])),
  );
});
