/** What every sink keeps to. */
import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import type { Sink, SinkName } from '../../src/pipeline/sink.ts';
import { storeOf } from '../../src/pipeline/stream.ts';
import type { Change } from '../../src/table/change.ts';
import { eventOf } from '../support/records.ts';
import { fresh, history, orderAt, purchase } from './items.ts';
import type { ServiceProxy } from './proxy.ts';
import { allTaken, from, openWorld } from './world.ts';

const world = await openWorld();
const { proxies, connections } = world;
const context = { connections, store: storeOf(world.app, connections) };
const sinks: Sink[] = world.app.sinks.flatMap((factory) => factory(context) ?? []);

const readerOf = ({ kind }: Sink) => (kind === 'act' ? 'notify' : 'project');
/** What a sink needs; the cache of these tests lies in memory. */
const services: Partial<Record<SinkName, ServiceProxy>> = {
  search: proxies.search,
  audit: proxies.dynamodb,
  email: proxies.dynamodb,
  bus: proxies.bus,
};

function placed(): DynamoDBRecord[] {
  return history(undefined, orderAt(1, purchase(fresh('o'))));
}

function changeOf(record: DynamoDBRecord | undefined): Change {
  const decoded = world.app.decode(record ?? {});
  if (decoded.verdict !== 'change') throw new Error(`It is ${decoded.verdict}.`);
  return decoded.change;
}

test('there are five of them', () => {
  expect(sinks.map(({ name, kind }) => `${name}: ${kind}`)).toEqual([
    'search: view',
    'cache: view',
    'audit: log',
    'email: act',
    'bus: act',
  ]);
});

describe.each(sinks)('$name', (sink) => {
  test('plans without asking anybody, and the same each time', () => {
    const [record] = placed();
    const once = sink.plan(changeOf(record));
    expect(once.length).toBeGreaterThan(0);
    expect(JSON.stringify(sink.plan(changeOf(record)))).toBe(JSON.stringify(once));
    expect(Object.values(proxies).flatMap(({ seen }) => seen)).toEqual([]);
  });

  test('says of each request what it is about, and how large it is', () => {
    for (const request of sink.plan(changeOf(placed()[0]))) {
      expect(sink.target(request)).toEqual(expect.any(String));
      expect(sink.size(request)).toBeGreaterThan(0);
      expect(sink.size(request)).toBeLessThan(sink.limits.bytes);
    }
  });

  test('answers each request of a full call, in order', async () => {
    const changes = Array.from({ length: sink.limits.count }, () => changeOf(placed()[0]));
    const requests = changes.flatMap((change) => sink.plan(change)).slice(0, sink.limits.count);
    expect(await sink.send(requests)).toEqual(requests.map(() => ({ state: 'applied' })));
  });

  test('takes the same again without harm', async () => {
    const requests = sink.plan(changeOf(placed()[0]));
    await sink.send(requests);
    const states = (await sink.send(requests)).map(({ state }) => state);
    expect(states).toEqual(
      requests.map(() => (sink.name === 'audit' || sink.name === 'email' ? 'repeated' : 'applied')),
    );
  });

  const service = services[sink.name];
  if (service === undefined) return;

  test('with its service gone, sends the record back and holds no other sink', async () => {
    const records = [...placed(), ...placed()];
    service.conduct = () => 'closed';
    expect(await world.take(readerOf(sink), eventOf(...records))).toEqual(from(records[0]));
    for (const [name, counts] of Object.entries(world.batches.at(-1)?.sinks ?? {}))
      expect(counts.failed > 0, name).toBe(name === sink.name);
    service.calm();
    expect(await world.take(readerOf(sink), eventOf(...records))).toEqual(allTaken);
  });
});
