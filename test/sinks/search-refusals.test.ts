import type { DynamoDBRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import type { Fields } from '../../src/table/entity.ts';
import { eventOf } from '../support/records.ts';
import { fresh, history, lamp, nameOf, productAt, version } from './items.ts';
import { json, type Reply } from './proxy.ts';
import { allTaken, nothing, openWorld } from './world.ts';

const world = await openWorld();
const { search } = world.proxies;

type Made = { item: Fields; record: DynamoDBRecord };

function made(id = fresh('lamp'), fields: Fields = {}): Made {
  const item = productAt(1, lamp(id, fields));
  const [record] = history(undefined, item);
  return { item, record: record as DynamoDBRecord };
}

const eventFor = (items: readonly Made[]) => eventOf(...items.map(({ record }) => record));
const versionOf = async ({ item }: Made) => (await world.document('products', nameOf(item)))?.version;
const parked = ({ item }: Made) => world.hold('search', nameOf(item));
const states = (items: readonly Made[]) =>
  Promise.all(items.map(async (item) => (await parked(item))?.state));
const counted = () => world.batches.at(-1)?.sinks.search;
const bulks = () => search.seen.filter(({ path }) => path.startsWith('/_bulk'));
const operationsIn = (body: string) => body.trim().split('\n').length / 2;

/** A term that OpenSearch holds for too long. */
const unfit = () => made(fresh('lamp'), { category: 'X'.repeat(40_000) });

type BulkItems = { items: { index?: { _id: string } }[] };

/** The bulk answer, with another word on one item. */
function saying(item: Made, word: unknown) {
  return (reply: Reply): Reply => {
    const body: BulkItems = JSON.parse(reply.body);
    const items = body.items.map((one) => (one.index?._id === nameOf(item.item) ? word : one));
    return json(200, { ...body, items });
  };
}

test('a document that the index refuses is parked as refused, alone', async () => {
  const items = [made(), unfit(), made()] as const;
  expect(await world.take('project', eventFor(items))).toEqual(allTaken);
  expect(await Promise.all(items.map(versionOf))).toEqual([version(1), undefined, version(1)]);
  expect(counted()).toEqual({ ...nothing, applied: 2, refused: 1 });
  expect(await states(items)).toEqual([undefined, 'refused', undefined]);
  expect((await parked(items[1]))?.view).toMatchObject({ entity: 'Product', version: version(1) });
});

test('an item of a key longer than any id has a shorter name, and is found like its neighbours', async () => {
  const items = [made(), made('é'.repeat(200)), made()] as const;
  expect(await world.take('project', eventFor(items))).toEqual(allTaken);
  expect(await Promise.all(items.map(versionOf))).toEqual(items.map(() => version(1)));
});

test.each([400, 413])(
  'a whole request refused with %i is halved until the culprit stands alone, which is parked as refused',
  async (status) => {
    const items = Array.from({ length: 9 }, () => made());
    const culprit = items[6] as Made;
    search.conduct = ({ path, body }) =>
      path.startsWith('/_bulk') && body.includes(nameOf(culprit.item))
        ? json(status, { error: 'too bad' })
        : undefined;
    expect(await world.take('project', eventFor(items))).toEqual(allTaken);
    search.calm();
    const others = items.filter((item) => item !== culprit);
    expect(await Promise.all(others.map(versionOf))).toEqual(others.map(() => version(1)));
    expect(await versionOf(culprit)).toBeUndefined();
    expect((await parked(culprit))?.state).toBe('refused');
    expect(await states(others)).toEqual(others.map(() => undefined));
  },
);

test('what is refused alone is not sent again', async () => {
  const item = made();
  search.conduct = () => json(400, { error: 'too bad' });
  expect(await world.take('project', eventFor([item]))).toEqual(allTaken);
  expect(bulks()).toHaveLength(1);
  expect((await parked(item))?.state).toBe('refused');
  await world.redrive();
  expect(bulks()).toHaveLength(1);
});

test('a whole request refused with 429 is sent again', async () => {
  const items = [made(), made()] as const;
  let times = 0;
  search.conduct = () =>
    ++times <= 2 ? json(429, { error: { type: 'rejected_execution_exception' } }) : undefined;
  expect(await world.take('project', eventFor(items))).toEqual(allTaken);
  expect(bulks().map(({ body }) => operationsIn(body))).toEqual([2, 2, 2]);
});

const pressure = (bytes: number, most: number) =>
  json(429, {
    error: {
      type: 'rejected_execution_exception',
      reason: `rejected execution of coordinating operation [coordinating_and_primary_bytes=${most - 5}, replica_bytes=0, all_bytes=${most - 5}, coordinating_operation_bytes=${bytes}, max_coordinating_and_primary_bytes=${most}]`,
    },
  });

test('a whole request that is too much beside the others of the moment is sent again as it is', async () => {
  const items = [made(), made()] as const;
  let times = 0;
  search.conduct = () => (++times === 1 ? pressure(20, 100) : undefined);
  expect(await world.take('project', eventFor(items))).toEqual(allTaken);
  expect(bulks().map(({ body }) => operationsIn(body))).toEqual([2, 2]);
});

test('a whole request that is too much by itself is split, not sent again', async () => {
  const items = [made(), made(), made(), made()] as const;
  search.conduct = ({ body }) => (operationsIn(body) > 1 ? pressure(200, 100) : undefined);
  expect(await world.take('project', eventFor(items))).toEqual(allTaken);
  expect(bulks().map(({ body }) => operationsIn(body))).toEqual([4, 2, 1, 1, 2, 1, 1]);
  expect(await Promise.all(items.map(versionOf))).toEqual(items.map(() => version(1)));
});

test('what one half of a split request was answered holds, though the other half failed', async () => {
  const items = [made(), made(), made(), made()] as const;
  let halves = 0;
  search.conduct = ({ body }) => {
    if (operationsIn(body) === 4) return json(413, {});
    return ++halves === 2 ? 'closed' : undefined;
  };
  expect(await world.take('project', eventFor(items))).toEqual(allTaken);
  expect(bulks().map(({ body }) => operationsIn(body))).toEqual([4, 2, 2, 2]);
  expect(await Promise.all(items.map(versionOf))).toEqual(items.map(() => version(1)));
});

test.each([
  ['a write block', 403, 'cluster_block_exception', 'index [products] blocked'],
  ['a full disk', 429, 'cluster_block_exception', 'disk usage exceeded'],
  ['an index that is closed', 400, 'index_closed_exception', 'closed'],
  ['an alias of two indices', 400, 'illegal_argument_exception', 'no write index is defined for alias [x]'],
  ['too few copies', 503, 'unavailable_shards_exception', 'not enough active copies'],
])('%s says nothing about the document: it waits', async (_what, status, type, reason) => {
  const items = [made(), made()] as const;
  const refusal = { index: { status, error: { type, reason } } };
  search.conduct = () => ({ altered: saying(items[0], refusal) });
  expect(await world.take('project', eventFor(items))).toEqual(allTaken);
  expect(await states(items)).toEqual(['waiting', undefined]);
});

test('an item refused with 429 is sent again, without its neighbours', async () => {
  const items = [made(), made(), made()] as const;
  let times = 0;
  const refusal = { index: { status: 429, error: { type: 'rejected_execution_exception' } } };
  search.conduct = () => (++times === 1 ? { altered: saying(items[1], refusal) } : undefined);
  expect(await world.take('project', eventFor(items))).toEqual(allTaken);
  expect(bulks().map(({ body }) => operationsIn(body))).toEqual([3, 1]);
});

test.each([
  ['null', null],
  ['an item of another operation', { create: { status: 201 } }],
  ['an item without a status', { index: {} }],
])(
  '%s in the place of an answer is no answer: that document is sent again, and parked in the end',
  async (_what, answer) => {
    const items = [made(), made(), made()] as const;
    search.conduct = () => ({ altered: saying(items[1], answer) });
    expect(await world.take('project', eventFor(items))).toEqual(allTaken);
    expect(bulks().map(({ body }) => operationsIn(body))).toEqual([3, 1, 1, 1]);
    expect(await states(items)).toEqual([undefined, 'waiting', undefined]);
  },
);

test('what answers are missing for at the end is sent again', async () => {
  const items = [made(), made(), made()] as const;
  search.conduct = () => ({
    altered: (reply) => {
      const body = JSON.parse(reply.body);
      return json(200, { ...body, items: body.items.slice(0, 1) });
    },
  });
  // Of two sent again the first is answered; in the end one is left.
  expect(await world.take('project', eventFor(items))).toEqual(allTaken);
  expect(bulks().map(({ body }) => operationsIn(body))).toEqual([3, 2, 1]);
});

test('where an answer has no items, all are parked', async () => {
  const items = [made(), made()] as const;
  search.conduct = () => json(200, { took: 1, errors: false });
  expect(await world.take('project', eventFor(items))).toEqual(allTaken);
  expect(await states(items)).toEqual(['waiting', 'waiting']);
  expect(counted()).toEqual({ ...nothing, waiting: 2 });
});

test('a write that was done though its answer was lost is sent again, and changes nothing', async () => {
  const item = made();
  let times = 0;
  search.conduct = () => (++times === 1 ? 'lost' : undefined);
  expect(await world.take('project', eventFor([item]))).toEqual(allTaken);
  expect(bulks()).toHaveLength(2);
  expect(await versionOf(item)).toBe(version(1));
});

test('with OpenSearch gone all is parked, and is shown once it is back', async () => {
  const items = [made(), made()] as const;
  await search.down();
  expect(await world.take('project', eventFor(items))).toEqual(allTaken);
  expect(await states(items)).toEqual(['waiting', 'waiting']);
  for (const { item } of items) await world.put(item);
  await search.up();
  await world.redrive();
  expect(await Promise.all(items.map(versionOf))).toEqual([version(1), version(1)]);
  expect(await states(items)).toEqual([undefined, undefined]);
});

test('the reason why an item failed never quotes what stands in a field', async () => {
  const item = made();
  const error = { type: 'mapper_parsing_exception', reason: "Preview of field's value: 'ada@example.com'" };
  search.conduct = () => ({ altered: saying(item, { index: { status: 400, error } }) });
  await world.take('project', eventFor([item]));
  const reason = 'status 400 mapper_parsing_exception';
  const change = `${nameOf(item.item)}/${version(1)}`;
  expect(world.batches.at(-1)?.failures).toMatchObject([{ sink: 'search', change, reason }]);
  expect(await parked(item)).toMatchObject({ reason, firstReason: reason });
});

test('an older form refused while a newer one is parked takes nothing from it: the newer is shown in the end', async () => {
  const older = made();
  const newer = productAt(2, lamp(String(older.item.productId), { price: 7 }));
  const sick = json(503, {});
  search.conduct = () => sick;
  await world.take('project', eventFor([older]));
  await world.put(older.item);
  let isFirst = true;
  search.conduct = async ({ path }) => {
    if (!path.startsWith('/_bulk')) return undefined;
    if (!isFirst) return sick;
    isFirst = false;
    // A redrive has read the older form, and has no answer yet.
    await world.put(newer);
    expect(await world.take('project', eventOf(...history(older.item, newer)))).toEqual(allTaken);
    return json(200, { items: [{ index: { status: 400, error: { type: 'mapper_parsing_exception' } } }] });
  };
  await world.redrive();
  search.calm();
  world.clock.milliseconds += 3_600_000;
  await world.redrive();
  expect(await versionOf(older)).toBe(version(2));
  expect(await parked(older)).toBeUndefined();
});
