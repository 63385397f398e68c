/**
 * Everybody at once: writers, readers that fill late or never, the stream, an index that is behind. Once the stream
 * has caught up, the cache holds nothing but what the table has; and a cache without tokens fails the same races.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routes } from '../../src/app.ts';
import { openApi } from '../../src/http/api.ts';
import { toText } from '../../src/sinks/cache/read.ts';
import {
  inMemory,
  inPlain,
  inRedis,
  lagMilliseconds,
  listMilliseconds,
  openRace,
  openTrack,
  type Race,
  type Subject,
  type Write,
} from './races.ts';
import { hasRedis, unlessRedis } from './redis.ts';

const track = await openTrack();
const { world } = track;

const lampKey = ({ lamps }: Race) => `product:${lamps[0]}`;
const listKey = ({ categories }: Race) => `category:${categories[0]}`;

const readerAt = async (race: Race, key: string) => {
  const reader = await race.read(key);
  await reader.goOn();
  return reader;
};

/** Readers who have read all there is, and have not filled yet. */
const readersOfAll = (race: Race) => Promise.all(race.keys.map((key) => readerAt(race, key)));

/** The earliest of the races: all is read, then written, the stream tells it, and only then the readers fill. */
async function frozenReaders(race: Race): Promise<string[]> {
  await race.write('place');
  await race.take();
  const readers = await readersOfAll(race);
  await race.write('price', 0, 77);
  await race.write('move', 1, 0);
  await race.write('pay');
  await race.write('rename', 0, 7);
  await race.take();
  await Promise.all(readers.map((reader) => reader.finish()));
  return race.stale();
}

/** Three writers at a time, while readers who began at different times fill, and each record is taken alone. */
async function slowFillers(race: Race): Promise<string[]> {
  for (let round = 0; round < 4; round++) {
    await readersOfAll(race);
    await Promise.all([race.write('price', 0, round + 1), race.write('restock', 0, 1)]);
    await Promise.all([race.write('move', 1, round), race.write('place', round, 0)]);
    await readersOfAll(race);
    for (let nth = 0; nth < 8; nth++) {
      await race.take(1);
      await race.goOn(nth * 3);
    }
  }
  await race.take();
  await race.finish();
  return race.stale();
}

/** As one text, so that whatever reports a failure names the keys. */
async function expectNothingStale(race: Race, which?: 'items'): Promise<void> {
  expect((await race.stale(which)).join('\n')).toBe('');
}

type Step = { kind: keyof typeof steps; nth: number; number: number };

const writeKinds: Write[] = ['price', 'price', 'move', 'restock', 'add', 'remove', 'place', 'pay', 'rename'];
const kindOf = (nth: number) => writeKinds[nth % writeKinds.length] ?? 'price';

/** How far the clock goes on at once: to within a lag, past it, past a list's life, past a token's. */
const passes = [300, lagMilliseconds, listMilliseconds, 10_000];

const steps = {
  write: (race: Race, nth: number, number: number) => race.write(kindOf(nth), number, nth),
  writers: (race: Race, nth: number, number: number) =>
    Promise.all([race.write(kindOf(nth), number, nth), race.write(kindOf(number), nth, number)]),
  /** Quick readers of everything, so that there is something to go stale. */
  warm: (race: Race) => race.warm(),
  read: (race: Race, nth: number) => race.read(race.keys[nth % race.keys.length] ?? ''),
  readLate: (race: Race, nth: number) => readerAt(race, race.keys[nth % race.keys.length] ?? ''),
  goOn: (race: Race, nth: number) => race.goOn(nth),
  take: (race: Race, nth: number) => race.take((nth % 4) + 1),
  /** What is held now is right already, while others are still frozen. */
  catchUp: async (race: Race) => {
    await race.take();
    await expectNothingStale(race, 'items');
  },
  pass: (race: Race, nth: number) => race.pass(passes[nth % passes.length] ?? 0),
};

const anyRace = fc.record({
  lags: fc.boolean(),
  steps: fc.array(
    fc.record<Step>({
      kind: fc.constantFrom<Step['kind'][]>(
        'write',
        'write',
        'writers',
        'warm',
        'read',
        'readLate',
        'readLate',
        'goOn',
        'goOn',
        'take',
        'catchUp',
        'pass',
      ),
      nth: fc.nat(99),
      number: fc.nat(99),
    }),
    { minLength: 10, maxLength: 40 },
  ),
});

/** Any race at all, checked against the table once the stream has caught up. */
async function anyRaces(subject: Subject, options: fc.Parameters<unknown>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(anyRace, async ({ lags, steps: chosen }) => {
      const race = await openRace(track, subject, { lags });
      for (const { kind, nth, number } of chosen) await steps[kind](race, nth, number);
      await race.take();
      await race.finish();
      await expectNothingStale(race, 'items');
      // What a list was filled with from an index that was behind goes with its time.
      if (lags) await race.pass(listMilliseconds);
      await expectNothingStale(race);
      expect(await race.warm()).toEqual(await race.present());
      await expectNothingStale(race);
    }),
    options,
  );
}

/** The shop's API on the subject's cache, in front of the race's table. */
function openAsk({ port }: Subject) {
  const api = openApi(world.app, { ...world.connections, cache: port }, routes);
  return async function ask(method: string, path: string, body?: unknown, headers?: Record<string, string>) {
    const init = {
      method,
      ...(headers && { headers }),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    const response = await api.request(path, init);
    const text = await response.text();
    return {
      status: response.status,
      headers: { 'If-Match': response.headers.get('ETag') ?? '' },
      json: text === '' ? undefined : JSON.parse(text),
    };
  };
}

/** The price that the API shows its writer after the second write, while a reader fills what it has read before. */
async function writtenPrice(subject: Subject): Promise<number> {
  const race = await openRace(track, subject);
  const ask = openAsk(subject);
  const path = `/products/${race.lamps[0]}`;
  const first = await ask('GET', path);
  expect(await race.port.peek(lampKey(race))).toBeDefined();
  const second = await ask('PATCH', path, { price: 21 }, first.headers);
  const slow = await readerAt(race, lampKey(race));
  expect((await ask('PATCH', path, { price: 22 }, second.headers)).json.price).toBe(22);
  await slow.finish();
  return (await ask('GET', path)).json.price;
}

describe.each([
  { name: 'in memory', open: inMemory, there: true },
  { name: `in Redis${unlessRedis}`, open: inRedis, there: hasRedis },
])('$name', ({ open, there }) => {
  describe.skipIf(!there)('a cache', () => {
    let subject: Subject;
    beforeAll(async () => {
      subject = await open(world);
    });
    afterAll(() => subject?.stop());
    const begin = (options?: { lags: boolean }) => openRace(track, subject, options);

    test('takes nothing from readers who were frozen between read and fill while a write passed', async () => {
      const race = await begin();
      expect(await frozenReaders(race)).toEqual([]);
      expect(await race.warm()).toEqual(await race.present());
      expect(await race.stale()).toEqual([]);
    });

    test('takes what a frozen reader has read where no write has passed', async () => {
      const race = await begin();
      await race.take();
      const reader = await readerAt(race, lampKey(race));
      await race.write('price', 1, 77);
      await race.take();
      await reader.finish();
      expect(await race.port.peek(lampKey(race))).toBe(toText(await race.fresh(lampKey(race))));
    });

    test('is right after several writers at once and readers who fill slowly', async () => {
      const race = await begin();
      expect(await slowFillers(race)).toEqual([]);
      expect(await race.warm()).toEqual(await race.present());
    });

    test('is filled by others while a dead reader holds the token', async () => {
      const race = await begin();
      await race.read(lampKey(race));
      const alive = await race.read(lampKey(race));
      await alive.finish();
      expect(await race.port.peek(lampKey(race))).toBe(toText(await race.fresh(lampKey(race))));
    });

    test('is filled by others after the dead reader’s token, and no more by the dead', async () => {
      const race = await begin();
      const dead = await readerAt(race, lampKey(race));
      await race.pass(10_000);
      const alive = await race.read(lampKey(race));
      await race.write('price', 0, 77);
      await dead.finish();
      expect(await race.port.peek(lampKey(race))).toBeUndefined();
      await alive.finish();
      expect(await race.port.peek(lampKey(race))).toBe(toText(await race.fresh(lampKey(race))));
    });

    test('holds a list from an index that is behind for seconds only, then the right one', async () => {
      const race = await begin({ lags: true });
      await race.pass(lagMilliseconds);
      await race.write('price', 0, 77);
      await race.take();
      await race.read(listKey(race)).then((reader) => reader.finish());
      await race.read(lampKey(race)).then((reader) => reader.finish());
      expect(await race.stale('items')).toEqual([]);
      // The index is behind, and nothing tells the cache: so it must be short.
      expect(await race.stale()).toEqual([`the cache holds an older ${listKey(race)}`]);
      await race.pass(listMilliseconds);
      expect(await race.stale()).toEqual([]);
      expect(await race.warm()).toEqual(await race.present());
      expect(await race.stale()).toEqual([]);
    });

    test('is filled for a hot key, again after each write, and spares the table most of 5000 reads', async () => {
      const race = await begin();
      const key = lampKey(race);
      const seen = { loads: 0 };
      const waiting: Awaited<ReturnType<Race['read']>>[][] = [];
      const rounds = { held: 0, right: 0 };
      for (let round = 0; round < 100; round++) {
        if (round % 25 === 10) await race.write('price', 0, round);
        if (round % 25 === 11) await race.take();
        waiting.push(await Promise.all(Array.from({ length: 50 }, () => race.read(key, seen))));
        await Promise.all((waiting.at(-1) ?? []).map((reader) => reader.goOn()));
        // A reader takes three rounds; in each of them fifty others come.
        if (waiting.length > 3) await Promise.all((waiting.shift() ?? []).map((reader) => reader.finish()));
        const held = await race.port.peek(key);
        if (held === undefined) continue;
        rounds.held++;
        if (held === toText(await race.fresh(key))) rounds.right++;
      }
      // At the start and after each of the four writes it is empty for the three rounds that a load takes.
      expect(rounds.held).toBe(100 - 5 * 3);
      // It is behind the table only in the rounds between a write and its record.
      expect(rounds.right).toBe(rounds.held - 4);
      expect(seen.loads * 4).toBeLessThan(5_000);
      await race.finish();
      expect(await race.stale()).toEqual([]);
      expect(waiting.at(-1)?.map((reader) => reader.value())).toEqual(Array(50).fill(await race.fresh(key)));
    });

    test('ends any race with what the table has', () => anyRaces(subject, { numRuns: 20 }), 120_000);

    test('shows the API’s writer the write at once, though others fill slowly', async () => {
      expect(await writtenPrice(subject)).toBe(22);
    });

    test('shows the API’s writer a list without what left it, and with what came', async () => {
      const race = await begin();
      const ask = openAsk(subject);
      const [here, there] = race.categories.map((category) => `/products?category=${category}`);
      const path = `/products/${race.lamps[0]}`;
      const idsAt = async (list = '') =>
        (await ask('GET', list)).json.items.map(({ productId }: { productId: string }) => productId);
      const { headers } = await ask('GET', path);
      expect([await idsAt(here), await idsAt(there)]).toEqual([[race.lamps[0]], [race.lamps[1]]]);
      const slow = await readersOfAll(race);
      await ask('PATCH', path, { category: race.categories[1] }, headers);
      await Promise.all(slow.map((reader) => reader.finish()));
      expect([await idsAt(here), await idsAt(there)]).toEqual([[], [...race.lamps].sort()]);
      expect((await ask('DELETE', path)).status).toBe(204);
      expect((await ask('GET', path)).status).toBe(404);
      expect([await idsAt(here), await idsAt(there)]).toEqual([[], [race.lamps[1]]]);
    });

    test('shows the API’s writer a customer, an order and the stock that it took at once', async () => {
      const race = await begin();
      const ask = openAsk(subject);
      const own = `/customers/${race.userId}`;
      const { headers } = await ask('GET', own);
      await ask('PATCH', own, { name: 'Countess' }, headers);
      expect((await ask('GET', own)).json.name).toBe('Countess');
      const { json: before } = await ask('GET', `/products/${race.lamps[0]}`);
      const body = { items: [{ productId: race.lamps[0], quantity: 3 }] };
      const placed = await ask('POST', `${own}/orders`, body, { 'Idempotency-Key': 'cart' });
      const address = `${own}/orders/${placed.json.orderId}`;
      const { json: after } = await ask('GET', `/products/${race.lamps[0]}`);
      expect(after.stock).toBe(before.stock - 3);
      expect((await ask('GET', address)).json.status).toBe('pending');
      const slow = await readersOfAll(race);
      await ask('PATCH', address, { status: 'paid' }, placed.headers);
      await Promise.all(slow.map((reader) => reader.finish()));
      expect((await ask('GET', address)).json.status).toBe('paid');
    });
  });
});

describe('the plain way, with get, set and del,', () => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await inPlain(world);
  });

  test('holds what frozen readers have read, of items and of lists', async () => {
    const race = await openRace(track, subject);
    const stale = await frozenReaders(race);
    for (const key of [lampKey(race), listKey(race), `user:${race.userId}`, `orders-of:${race.userId}`])
      expect(stale).toContain(`the cache holds an older ${key}`);
  });

  test('holds what slow readers have read', async () => {
    expect(await slowFillers(await openRace(track, subject))).not.toEqual([]);
  });

  test('ends a race otherwise than the table', async () => {
    await expect(
      anyRaces(subject, { numRuns: 20, seed: 1, endOnFailure: true, includeErrorInReport: true }),
    ).rejects.toThrow('the cache holds an older');
  });

  test('does not show the API’s writer the write', async () => {
    expect(await writtenPrice(subject)).toBe(21);
  });
});
