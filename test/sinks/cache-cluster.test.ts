/** A cluster of three: many slots, a node that is killed, frozen, or gives slots away, and the batches meanwhile. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { redriveDue } from '../../src/deliveries/redrive.ts';
import { defineApp } from '../../src/pipeline/app.ts';
import { openStream } from '../../src/pipeline/stream.ts';
import { openCache } from '../../src/sinks/cache/open.ts';
import type { CachePort } from '../../src/sinks/cache/port.ts';
import { cache } from '../../src/sinks/cache/sink.ts';
import { eventOf } from '../support/records.ts';
import { fresh, history, lamp, productAt } from './items.ts';
import { hasRedis, unlessRedis } from './redis.ts';
import { moveSlot, type Node, startCluster } from './redisCluster.ts';
import { allTaken, openWorld } from './world.ts';

const world = await openWorld();
const app = defineApp({ ...world.app, sinks: [cache] });

const sinkSeconds = 5;
/** What the sink has not done in its time is then parked, which takes a busy machine some seconds more. */
const withinTime = (sinkSeconds + 7) * 1_000;

let cluster: Awaited<ReturnType<typeof startCluster>>;
let port: CachePort;

const someKeys = (count: number) => Array.from({ length: count }, () => fresh('key'));

async function hold(keys: readonly string[], value = 'held') {
  const holdOne = async (key: string) => {
    const held = await port.read(key);
    if ('token' in held) await port.fill(key, held.token, value, 60_000);
  };
  await Promise.all(keys.map(holdOne));
}

/** Which of the keys a node answers for. */
async function keysAt(node: Node | undefined, keys: readonly string[]): Promise<string[]> {
  const nodes = await Promise.all(keys.map((key) => cluster.nodeOf(`shop:${key}`)));
  return keys.filter((_, index) => nodes[index] === node);
}

const isError = (answer: unknown) => answer instanceof Error;

async function timed<Value>(work: Promise<Value>): Promise<{ value: Value; milliseconds: number }> {
  const start = performance.now();
  const value = await work;
  return { value, milliseconds: performance.now() - start };
}

/** Changes of so many products, and the keys that they empty. */
function changesOf(count: number) {
  const ids = Array.from({ length: count }, () => fresh('lamp'));
  const records = ids.flatMap((id) =>
    history(productAt(1, lamp(id, { category: id })), productAt(2, lamp(id, { category: id, price: 1 }))),
  );
  return { records, keys: ids.flatMap((id) => [`product:${id}`, `category:${id}`]) };
}

describe.skipIf(!hasRedis)(`a cluster${unlessRedis}`, () => {
  let project: ReturnType<typeof openStream>;
  let connections: typeof world.connections;
  beforeAll(async () => {
    cluster = await startCluster();
    port = openCache(cluster.url, 'shop:');
    connections = {
      ...world.connections,
      cache: port,
      config: { ...world.config, SLUICE_SINK_SECONDS: `${sinkSeconds}` },
    };
    project = openStream(app, 'project', connections);
  });
  afterEach(async () => {
    for (const node of cluster.nodes) {
      if (node.isUp()) node.thaw();
      else await node.restart();
    }
    await cluster.whole();
    await expect.poll(() => hold(someKeys(50)).then(() => true, isError), { timeout: 10_000 }).toBe(true);
  });
  afterAll(async () => {
    await port?.close();
    await cluster?.stop();
  });

  const heldOf = async (keys: readonly string[]) => {
    const texts = await Promise.all(keys.map((key) => port.peek(key)));
    return keys.filter((_, index) => texts[index] !== undefined);
  };

  test('takes keys of many slots at once, each at its own node, under the prefix', async () => {
    const keys = someKeys(300);
    await hold(keys);
    expect(await cluster.keys()).toEqual(expect.arrayContaining(keys.map((key) => `shop:${key}`)));
    for (const node of cluster.nodes) expect((await keysAt(node, keys)).length).toBeGreaterThan(50);
    expect(new Set(await port.invalidate(keys))).toEqual(new Set([true]));
    expect(await heldOf(keys)).toEqual([]);
  });

  test('takes the scripts again after each node has forgotten them', async () => {
    const keys = someKeys(30);
    await hold(keys);
    for (const { raw } of cluster.nodes) await raw.script('FLUSH');
    await port.invalidate(keys);
    await hold(keys);
    expect(await heldOf(keys)).toEqual(keys);
  });

  test('with a node killed in the midst fails soon for its third, and takes all others', async () => {
    const killed = cluster.nodes[1];
    const keys = someKeys(300);
    const lost = await keysAt(killed, keys);
    await hold(keys);
    let over = false;
    const killing = killed?.kill().then(() => {
      over = true;
    });
    for (let last = false; !last; ) {
      last = over;
      const { value, milliseconds } = await timed(port.invalidate(keys));
      expect(milliseconds).toBeLessThan(2_000);
      const refused = keys.filter((_, index) => isError(value[index]));
      if (last) expect(refused).toEqual(lost);
      else expect(lost).toEqual(expect.arrayContaining(refused));
    }
    await killing;
  });

  test('with a node gone parks what is at that node, batch after batch, and empties the rest at once', async () => {
    const batches = [changesOf(30), changesOf(30), changesOf(30)];
    const keys = batches.flatMap((batch) => batch.keys);
    const lost = await keysAt(cluster.nodes[1], keys);
    await hold(keys);
    await cluster.nodes[1]?.kill();
    for (const batch of batches) {
      expect(await project(eventOf(...batch.records))).toEqual(allTaken);
      const others = batch.keys.filter((key) => !lost.includes(key));
      expect(await heldOf(others)).toEqual([]);
    }
    await cluster.nodes[1]?.restart();
    await cluster.whole();
    await hold(keys, 'old');
    world.clock.milliseconds += 60_000;
    await redriveDue(app, connections, { signal: new AbortController().signal });
    expect(await heldOf(lost)).toEqual([]);
    expect(await world.allParkedRows()).toEqual([]);
  });

  test('with a node frozen takes a full batch within its time, and all that is at the others', async () => {
    const { records, keys } = changesOf(1_000);
    await hold(keys);
    cluster.nodes[2]?.freeze();
    const { value, milliseconds } = await timed(project(eventOf(...records)));
    expect(value).toEqual(allTaken);
    expect(milliseconds).toBeLessThan(withinTime);
    const lost = await keysAt(cluster.nodes[2], keys);
    const others = keys.filter((key) => !lost.includes(key));
    expect(world.batches.at(-1)?.sinks.cache?.waiting).toBe(lost.length);
    expect(await heldOf(others)).toEqual([]);
    cluster.nodes[2]?.thaw();
    await cluster.whole();
    world.clock.milliseconds += 60_000;
    await redriveDue(app, connections, { signal: new AbortController().signal });
    expect(await heldOf(keys)).toEqual([]);
  });

  test('that is frozen as a whole takes a batch within its time, and the next one at once', async () => {
    for (const node of cluster.nodes) node.freeze();
    const first = await timed(project(eventOf(...changesOf(200).records)));
    expect(first).toMatchObject({ value: allTaken });
    expect(first.milliseconds).toBeLessThan(withinTime);
    const next = await timed(project(eventOf(...changesOf(20).records)));
    expect(next).toMatchObject({ value: allTaken });
    expect(next.milliseconds).toBeLessThan(first.milliseconds / 2);
  });

  test('that is gone as a whole costs hardly any time, and later it is used again', async () => {
    for (const node of cluster.nodes) await node.kill();
    for (let times = 0; times < 3; times++) {
      const { value, milliseconds } = await timed(port.read('lamp').catch((error: Error) => error));
      expect(value).toBeInstanceOf(Error);
      expect(milliseconds).toBeLessThan(900);
    }
  });

  test('that moves a slot while it is asked answers for each key, and forgets nothing that it was told', async () => {
    const [from, to] = cluster.nodes as [Node, Node];
    const keys = Array.from({ length: 20 }, () => `{moved}${fresh('key')}`);
    const owner = await cluster.nodeOf('shop:{moved}');
    const slot = await from.raw.cluster('KEYSLOT', 'shop:{moved}');
    await hold(keys, 'old');
    const target = owner === from ? to : from;
    // Some are told before the keys move, some after, and some are filled meanwhile.
    const steps = [keys.slice(0, 7), keys.slice(7, 14)];
    await moveSlot(slot, owner, target, async () => {
      const told = steps.shift() ?? [];
      expect(new Set(await port.invalidate(told))).toEqual(new Set([true]));
      await hold(told, 'new');
    });
    expect(new Set(await port.invalidate(keys.slice(14)))).toEqual(new Set([true]));
    const held = await Promise.all(keys.map((key) => port.read(key)));
    const newOnes = Array(14).fill({ value: 'new' });
    expect(held).toEqual([...newOnes, ...Array(6).fill({ token: expect.any(String) })]);
    await moveSlot(slot, target, owner, async () => {});
  });
});

describe.skipIf(!hasRedis)(`a cluster with a replica${unlessRedis}`, () => {
  test('goes on without its first node, whose connections never closed, once the replica has taken over', async () => {
    const whole = await startCluster({ replica: true });
    const safe = openCache(whole.url, 'shop:');
    const keys = someKeys(60);
    const allTrue = async () => (await safe.invalidate(keys)).every((answer) => answer === true);
    expect(await allTrue()).toBe(true);
    whole.nodes[0]?.freeze();
    expect(await allTrue()).toBe(false);
    await expect.poll(allTrue, { timeout: 15_000 }).toBe(true);
    const held = await safe.read('lamp');
    expect(await safe.fill('lamp', 'token' in held ? held.token : '', 'Lamp', 60_000)).toBe(true);
    await safe.close();
    await whole.stop();
  });
});
