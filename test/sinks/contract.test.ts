/** What every sink keeps to. */
import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import type { Sink } from '../../src/pipeline/sink.ts';
import { order } from '../../src/shop/entities/order.ts';
import type { Change } from '../../src/table/change.ts';
import type { Entity, Fields } from '../../src/table/entity.ts';
import { keysOf, life, openContract } from './contract.ts';
import { nameOf } from './items.ts';
import { allTaken, from, nothing } from './world.ts';

const { world, subjects, cache } = await openContract();

function changeOf(record: DynamoDBRecord): Change {
  const decoded = world.app.decode(record);
  if (decoded.verdict !== 'change') throw new Error(`It is ${decoded.verdict}.`);
  return decoded.change;
}

const requested = () => Object.values(world.proxies).flatMap(({ seen }) => seen);
const fill = async (item: Fields) => {
  for (const key of keysOf(item)) {
    const held = await cache.read(key);
    if ('token' in held) await cache.fill(key, held.token, 'held', 60_000);
  }
};
const failures = () => world.batches.at(-1)?.failures ?? [];

test('there are five of them', () => {
  expect(subjects.map(({ sink: { name, kind } }) => `${name}: ${kind}`)).toEqual([
    'search: view',
    'cache: view',
    'audit: log',
    'email: act',
    'bus: act',
  ]);
});

describe.each(subjects.map((subject) => ({ name: subject.sink.name, subject })))('$name', ({ subject }) => {
  const { sink, service, take, holds, member, shipped, placedAfterwards, most, large, tooLarge } = subject;
  const { parked, hold, redrive } = subject;
  const byItem = sink.recover !== undefined;
  const counts = () => world.batches.at(-1)?.sinks[sink.name];
  const requestsOf = (record: DynamoDBRecord) => sink.plan(changeOf(record)).length;
  /** What stands in the deliveries table of a record that is parked alone. */
  const row = (state: 'waiting' | 'refused', record: DynamoDBRecord) => ({
    state,
    reason: expect.any(String),
    version: changeOf(record).version,
    ...(!byItem && { record }),
  });
  /** What waits holds its item; of what is refused for good only a view has such a row, which holds nobody. */
  const holdFor = (state: 'waiting' | 'refused') => (byItem || state === 'waiting' ? state : undefined);
  const repeats = sink.name === 'bus';
  /** All that its service was asked for, each once. */
  const asks = () => new Set(service.calls().flatMap(({ about }) => about));
  /** The key of an item in the cache is no name of it. */
  const isAbout = (item: Fields) => (about: string) =>
    about.includes(nameOf(item)) || keysOf(item).includes(about);

  test('plans without asking anybody, and the same each time', () => {
    const { placed } = life();
    const once = sink.plan(changeOf(placed));
    expect(once.length).toBeGreaterThan(0);
    expect(JSON.stringify(sink.plan(changeOf(placed)))).toBe(JSON.stringify(once));
    expect([...requested(), ...service.calls()]).toEqual([]);
  });

  test('says of each request what it is about, and how large it is', () => {
    for (const request of sink.plan(changeOf(life().placed))) {
      expect(sink.target(request)).toEqual(expect.any(String));
      expect(sink.size(request)).toBeGreaterThan(0);
      expect(sink.size(request)).toBeLessThan(sink.limits.bytes);
    }
  });

  test('makes no call for an entity that does not name it', async () => {
    const { [member]: _, ...others } = order;
    // Of events and emails an entity has none, of the others it lacks the member.
    const bare: object = member === 'emails' || member === 'events' ? { ...others, [member]: {} } : others;
    const { placed, shipped } = life();
    expect(await take([placed, shipped], { order: bare as Entity })).toEqual(allTaken);
    expect([...requested(), ...service.calls()]).toEqual([]);
    expect(await take([placed, shipped])).toEqual(allTaken);
    expect(service.calls().length).toBeGreaterThan(0);
  });

  test('makes no call for an empty batch', async () => {
    expect(await take([])).toEqual(allTaken);
    expect([...requested(), ...service.calls()]).toEqual([]);
  });

  test('parks exactly what its service refuses', async () => {
    const [one, refused, other] = [life(), life(), life()];
    service.refuse(isAbout(refused.item));
    expect(await take([one.placed, refused.placed, other.placed])).toEqual(allTaken);
    const { id } = changeOf(refused.placed);
    for (const { change } of failures()) expect(change).toBe(id);
    const { refusal } = service;
    expect(counts()).toEqual({
      ...nothing,
      applied: requestsOf(one.placed) + requestsOf(other.placed),
      [refusal]: requestsOf(refused.placed),
    });
    expect(await parked(refused.item)).toEqual([row(refusal, refused.placed)]);
    expect(await hold(refused.item)).toBe(holdFor(refusal));
    for (const { item } of [one, other]) expect(await parked(item)).toEqual([]);
  });

  test('parks what is not answered for, and nothing else', async () => {
    const [one, other, last] = [life(), life(), life()];
    service.omitLast();
    expect(await take([one.placed, other.placed, last.placed])).toEqual(allTaken);
    expect(await parked(last.item)).toEqual([row('waiting', last.placed)]);
    for (const { item } of [one, other]) expect(await parked(item)).toEqual([]);
  });

  test('parks everything where nothing is answered', async () => {
    const [one, other] = [life(), life()];
    service.fallSilent();
    expect(await take([one.placed, other.placed])).toEqual(allTaken);
    expect(counts()).toEqual({ ...nothing, waiting: requestsOf(one.placed) + requestsOf(other.placed) });
    for (const { item, placed } of [one, other]) expect(await parked(item)).toEqual([row('waiting', placed)]);
  });

  test('with its service gone parks, and a redrive later delivers', async () => {
    const lives = [life(), life()];
    for (const { item, now } of lives) {
      await fill(item);
      await world.put(now);
    }
    const before = await Promise.all(lives.map(({ item }) => holds(item)));
    service.goAway();
    expect(await take(lives.map((one) => one.shipped))).toEqual(allTaken);
    expect(counts()).toMatchObject({ applied: 0, repeated: 0, superseded: 0, refused: 0, failed: 0 });
    for (const { item, shipped: record } of lives) {
      expect(await parked(item)).toEqual([row('waiting', record)]);
      expect(await hold(item)).toBe('waiting');
    }
    service.calm();
    expect(await Promise.all(lives.map(({ item }) => holds(item)))).toEqual(before);
    await redrive();
    for (const { item } of lives) {
      expect(await holds(item)).toEqual(shipped);
      expect(await parked(item)).toEqual([]);
      expect(await hold(item)).toBeUndefined();
    }
  });

  test('sends back what it can neither deliver nor park, and later takes it', async () => {
    const [one, other] = [life(), life()];
    service.goAway();
    world.refuseParking();
    expect(await take([one.placed, other.placed])).toEqual(from(one.placed));
    expect(counts()).toEqual({ ...nothing, failed: requestsOf(one.placed) + requestsOf(other.placed) });
    service.calm();
    world.proxies.dynamodb.calm();
    for (const { item } of [one, other]) expect(await parked(item)).toEqual([]);
    expect(await take([one.placed, other.placed])).toEqual(allTaken);
    expect(counts()).toMatchObject({ waiting: 0, refused: 0, failed: 0 });
  });

  test('parks a change whose plan throws as refused, alone', async () => {
    const [one, bad, other] = [life(), life(), life()];
    const plan: Sink['plan'] = (change) => {
      if (change.item === nameOf(bad.item)) throw new Error('no plan');
      return sink.plan(change);
    };
    const records = [one.placed, bad.placed, other.placed];
    expect(await take(records, { sink: { ...sink, plan } })).toEqual(allTaken);
    const about = service.calls().flatMap((call) => call.about);
    for (const { item } of [one, other]) expect(about.some(isAbout(item))).toBe(true);
    expect(about.some(isAbout(bad.item))).toBe(false);
    expect(await parked(bad.item)).toEqual([row('refused', bad.placed)]);
    expect(await hold(bad.item)).toBe(holdFor('refused'));
  });

  test(`${repeats ? 'publishes the same ids' : 'ends as after once'} when all is taken again`, async () => {
    const { item, placed, shipped } = life();
    await fill(item);
    await take([placed, shipped]);
    const once = await holds(item);
    const asked = asks();
    expect(await take([placed, shipped, placed, shipped])).toEqual(allTaken);
    expect(await holds(item)).toEqual(repeats ? [...once, ...once, ...once] : once);
    expect(asks()).toEqual(asked);
  });

  test('taken out of order holds what it must', async () => {
    const { item, placed, shipped: newest } = life();
    await take([newest]);
    expect(await holds(item)).toEqual(shipped);
    await fill(item);
    expect(await take([placed])).toEqual(allTaken);
    expect(await holds(item)).toEqual(placedAfterwards);
  });

  test('asks for no more at once than its service takes, and no more often than it must', async () => {
    const records = Array.from({ length: most.count + 1 }, () => life().placed);
    const requests = records.flatMap((record) => sink.plan(changeOf(record)));
    expect(await take(records)).toEqual(allTaken);
    const counts = service.calls().map(({ about }) => about.length);
    expect(Math.max(...counts)).toBe(most.count);
    expect(counts).toHaveLength(Math.ceil(requests.length / most.count));
    expect(asks().size).toBe(requests.length);
  });

  test('sends no more bytes at once than its service takes, and leaves nothing out', async () => {
    const records = Array.from({ length: 30 }, () => life(large).placed);
    const requests = records.flatMap((record) => sink.plan(changeOf(record)));
    expect(await take(records)).toEqual(allTaken);
    const calls = service.calls();
    expect(calls.length).toBeGreaterThan(1);
    for (const { bytes } of calls) expect(bytes).toBeLessThan(most.bytes);
    expect(asks().size).toBe(requests.length);
  });

  if (tooLarge === undefined) return;

  test('parks what no call holds as refused, unsent, and takes its neighbours', async () => {
    const [one, bad, other] = [life(), life(tooLarge), life()];
    expect(await take([one.placed, bad.placed, other.placed])).toEqual(allTaken);
    expect(failures()[0]?.reason).toContain(`more than the ${sink.limits.bytes} bytes`);
    for (const { item } of [one, other]) expect([...asks()].some(isAbout(item))).toBe(true);
    for (const { bytes } of service.calls()) expect(bytes).toBeLessThan(most.bytes);
    expect(await parked(bad.item)).toEqual([row('refused', bad.placed)]);
    expect(await hold(bad.item)).toBe(holdFor('refused'));
  });
});
