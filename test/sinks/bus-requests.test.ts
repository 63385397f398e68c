/** How events share requests, and what becomes of those that EventBridge refuses. */
import type { DynamoDBRecord } from 'aws-lambda';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PublishedEvent } from '../../src/sinks/bus/event.ts';
import { eventOf } from '../support/records.ts';
import { fresh, history, nameOf, orderAt, purchase } from './items.ts';
import { type Conduct, json, type Reply, type Seen } from './proxy.ts';
import { allTaken, nothing, openWorld } from './world.ts';

const world = await openWorld();
const { bus } = world.proxies;

/** An order that was placed, paid and shipped, and the record of each. */
function life() {
  const id = fresh('o');
  const forms = ['pending', 'paid', 'shipped'].map((status, index) =>
    orderAt(index + 1, purchase(id, { status })),
  );
  const [placed, paid, shipped] = history(undefined, ...forms) as [
    DynamoDBRecord,
    DynamoDBRecord,
    DynamoDBRecord,
  ];
  return { id, name: nameOf(forms[0] ?? {}), placed, paid, shipped, records: [placed, paid, shipped] };
}

const eventsIn = ({ body }: { body: string }): PublishedEvent[] =>
  JSON.parse(body).Entries.map(({ Detail }: { Detail: string }) => JSON.parse(Detail));
const label = ({ meta }: PublishedEvent) => meta.eventId.replace(/^.*ORDER#(.*)\/.*\/Order(.*)$/, '$1 $2');
const requests = () => bus.seen.map((request) => eventsIn(request).map(label));
/** What the bus has taken of these orders, in that order. */
const taken = (...ids: string[]) =>
  world.bus
    .events()
    .map(({ detail }) => label(detail as PublishedEvent))
    .filter((text) => ids.includes(text.split(' ')[0] ?? ''));

/** What is parked of an order at the bus, such as `2 waiting`. */
const parked = async ({ name }: { name: string }) =>
  (await world.parkedChanges('bus', name)).map(({ version, state }) => `${version % 1000} ${state}`);
const counted = () => world.batches.at(-1)?.sinks.bus;

const place = ({ dynamodb }: DynamoDBRecord) => `${dynamodb?.NewImage?.version?.N} ${dynamodb?.Keys?.sk?.S}`;

type Entries = { Entries: object[] };

/** EventBridge takes all but these events. */
function refusing(
  code: string,
  isRefused: (event: PublishedEvent) => boolean,
): (seen: Seen) => Promise<Conduct> {
  return async ({ body }) => {
    const { Entries }: Entries = JSON.parse(body);
    const refused = eventsIn({ body }).map(isRefused);
    const good = Entries.filter((_, index) => !refused[index]);
    const reply = good.length === 0 ? [] : await put(good);
    const results = refused.map((is) => (is ? { ErrorCode: code, ErrorMessage: 'no' } : reply.shift()));
    return json(200, { FailedEntryCount: refused.filter(Boolean).length, Entries: results });
  };
}

async function put(entries: object[]): Promise<object[]> {
  const reply = await fetch(world.bus.url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSEvents.PutEvents' },
    body: JSON.stringify({ Entries: entries }),
  });
  return ((await reply.json()) as Entries).Entries;
}

test('ten events share a request, and an eleventh needs another', async () => {
  const lives = Array.from({ length: 11 }, life);
  expect(await world.take('notify', eventOf(...lives.map(({ placed }) => placed)))).toEqual(allTaken);
  expect(requests().map(({ length }) => length)).toEqual([10, 1]);
});

test('no request holds more than EventBridge takes, and the order stays', async () => {
  const ids = ['a', 'b', 'c', 'd', 'e'].map(fresh);
  const wide = 'é'.repeat(150_000); // 300,000 bytes
  const items = [{ productId: 'p1', name: wide, quantity: 1, price: 20 }];
  const records = ids.flatMap((id) => history(undefined, orderAt(1, purchase(id, { items }))));
  expect(await world.take('notify', eventOf(...records))).toEqual(allTaken);
  expect(requests().map((labels) => labels.map((text) => text.split(' ')[0]))).toEqual([
    ids.slice(0, 3),
    ids.slice(3),
  ]);
  expect(Math.max(...bus.seen.map(({ body }) => Buffer.byteLength(body)))).toBeLessThan(1_048_576);
});

test('an item’s events go out in order, and no two of them in one request', async () => {
  const [one, other] = [life(), life()];
  const mixed = [one.placed, one.paid, other.placed, one.shipped, other.paid];
  expect(await world.take('notify', eventOf(...mixed))).toEqual(allTaken);
  expect(requests()).toEqual([
    [`${one.id} Placed`, `${other.id} Placed`],
    [`${one.id} Paid`, `${other.id} Paid`],
    [`${one.id} Shipped`],
  ]);
});

test('an event that waits holds its own item back, also when it is parked, and no other', async () => {
  const [one, other] = [life(), life()];
  bus.conduct = refusing('InternalFailure', (event) => label(event) === `${one.id} Paid`);
  const mixed = [one.placed, other.placed, one.paid, one.shipped, other.paid, other.shipped];
  expect(await world.take('notify', eventOf(...mixed))).toEqual(allTaken);
  expect(taken(one.id)).toEqual([`${one.id} Placed`]);
  expect(taken(other.id)).toEqual([`${other.id} Placed`, `${other.id} Paid`, `${other.id} Shipped`]);
  expect(await parked(one)).toEqual(['2 waiting', '3 waiting']);
  expect(await parked(other)).toEqual([]);
  bus.calm();
  expect(await world.take('notify', eventOf(one.shipped))).toEqual(allTaken);
  expect(taken(one.id)).toEqual([`${one.id} Placed`]);
  await world.redrive();
  expect(taken(one.id)).toEqual([`${one.id} Placed`, `${one.id} Paid`, `${one.id} Shipped`]);
  expect(await parked(one)).toEqual([]);
});

// Rights are a person's to mend: until then the event waits.
test.each(['InternalFailure', 'ThrottlingException', 'AccessDeniedException', 'SomethingNew'])(
  'an event refused with %s is sent again by itself',
  async (code) => {
    const [one, other] = [life(), life()];
    let times = 0;
    bus.conduct = refusing(code, (event) => label(event) === `${one.id} Placed` && ++times === 1);
    expect(await world.take('notify', eventOf(one.placed, other.placed))).toEqual(allTaken);
    expect(requests()).toEqual([[`${one.id} Placed`, `${other.id} Placed`], [`${one.id} Placed`]]);
  },
);

test.each(['InvalidArgument', 'MalformedDetail', 'RedactionFailure', 'InvalidAccountIdException'])(
  'an event refused with %s is parked and not sent again, since no repeat would change it, and holds nobody',
  async (code) => {
    const [one, other] = [life(), life()];
    bus.conduct = refusing(code, (event) => label(event) === `${one.id} Placed`);
    expect(await world.take('notify', eventOf(other.placed, one.placed, one.paid))).toEqual(allTaken);
    expect(requests()).toEqual([[`${other.id} Placed`, `${one.id} Placed`], [`${one.id} Paid`]]);
    expect(counted()).toEqual({ ...nothing, applied: 2, refused: 1 });
    expect(await world.parkedChanges('bus', one.name)).toMatchObject([{ state: 'refused', reason: code }]);
    expect(await world.hold('bus', one.name)).toBeUndefined();
    await world.redrive();
    const own = requests().flatMap((labels) => labels.filter((text) => text.startsWith(`${one.id} `)));
    expect(own).toEqual([`${one.id} Placed`, `${one.id} Paid`]);
  },
);

test('what EventBridge does not answer for is sent again, and parked where it never does', async () => {
  const [one, other] = [life(), life()];
  const short = (reply: Reply) =>
    json(200, { FailedEntryCount: 0, Entries: JSON.parse(reply.body).Entries.slice(0, 1) });
  bus.conduct = ({ body }) => (body.includes(other.id) ? { altered: short } : undefined);
  expect(await world.take('notify', eventOf(one.placed, other.placed))).toEqual(allTaken);
  expect(requests()).toEqual([[`${one.id} Placed`, `${other.id} Placed`], [`${other.id} Placed`]]);
  bus.conduct = () => json(200, {});
  expect(await world.take('notify', eventOf(one.paid))).toEqual(allTaken);
  expect(await parked(one)).toEqual(['2 waiting']);
});

test('when the answer is lost the same events go out again, under the same ids', async () => {
  const one = life();
  let times = 0;
  bus.conduct = () => (++times === 1 ? 'lost' : undefined);
  expect(await world.take('notify', eventOf(...one.records))).toEqual(allTaken);
  expect(taken(one.id)).toEqual(['Placed', 'Placed', 'Paid', 'Shipped'].map((what) => `${one.id} ${what}`));
});

test('with EventBridge gone all is parked, and goes out in order once it is back', async () => {
  const [one, other] = [life(), life()];
  await bus.down();
  expect(await world.take('notify', eventOf(one.placed, other.placed, one.paid))).toEqual(allTaken);
  expect(await parked(one)).toEqual(['1 waiting', '2 waiting']);
  expect(await parked(other)).toEqual(['1 waiting']);
  await bus.up();
  await world.redrive();
  expect(taken(one.id)).toEqual([`${one.id} Placed`, `${one.id} Paid`]);
  expect(taken(other.id)).toEqual([`${other.id} Placed`]);
  expect([...(await parked(one)), ...(await parked(other))]).toEqual([]);
});

const plan = fc.array(fc.tuple(fc.nat(2), fc.boolean()), { minLength: 1, maxLength: 9 });

/** Takes a batch of three orders in which these events are refused; gives what was tried of each, in order. */
async function takeRefusing(code: string, steps: readonly [number, boolean][]) {
  const lives = [life(), life(), life()];
  const sent = steps.flatMap(([who, refused]) => {
    const record = lives[who]?.records.shift();
    return record === undefined ? [] : [{ who, refused, record }];
  });
  const bad = new Set(sent.flatMap(({ refused, record }) => (refused ? [place(record)] : [])));
  bus.conduct = refusing(code, ({ meta }) => bad.has(`${meta.version} ${meta.key.sk}`));
  expect(await world.take('notify', eventOf(...sent.map(({ record }) => record)))).toEqual(allTaken);
  return lives.map((order, who) => {
    const own = sent.filter((one) => one.who === who);
    const events = ['Placed', 'Paid', 'Shipped'].slice(0, own.length).map((what) => `${order.id} ${what}`);
    return { ...order, events, refused: own.map(({ refused }) => refused) };
  });
}

test('whatever is refused for good is parked, and all else of each item goes out in order', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (steps) => {
      for (const { id, name, events, refused } of await takeRefusing('MalformedDetail', steps)) {
        expect(taken(id)).toEqual(events.filter((_, index) => !refused[index]));
        const numbers = refused.flatMap((is, index) => (is ? [`${index + 1} refused`] : []));
        expect(await parked({ name })).toEqual(numbers);
      }
    }),
    { numRuns: 40 },
  );
});

test('whatever waits, each item’s events are a beginning of its history, and the rest follows in order', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (steps) => {
      const orders = await takeRefusing('InternalFailure', steps);
      for (const { id, name, events, refused } of orders) {
        const begun = taken(id);
        expect(begun).toEqual(events.slice(0, begun.length));
        const gap = refused.indexOf(true);
        if (gap >= 0) expect(begun.length).toBeLessThanOrEqual(gap);
        const rest = events.map((_, index) => `${index + 1} waiting`).slice(begun.length);
        expect(await parked({ name })).toEqual(rest);
      }
      bus.calm();
      await world.redrive();
      for (const { id, name, events } of orders) {
        expect(taken(id)).toEqual(events);
        expect(await parked({ name })).toEqual([]);
      }
    }),
    { numRuns: 15 },
  );
});
