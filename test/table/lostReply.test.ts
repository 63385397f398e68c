import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Writer, writer } from '../../src/table/write/writer.ts';
import { by, type LocalShop, localShop } from '../support/shop.ts';
import { aNote, letter, type Note, note, noteKey, stored } from './entities.ts';
import { type FaultyProxy, startProxy } from './proxy.ts';

const time = 1_800_000_000_000;
const first = time * 1000;
let shop: LocalShop;
let proxy: FaultyProxy;
/** Writes through the proxy, and the others who write past it. */
let write: Writer;
let others: Writer;
let item: Note;

beforeAll(async () => {
  shop = await localShop(() => time);
  proxy = await startProxy(shop);
  write = writer(proxy.store);
  others = writer(shop.store);
});
afterAll(async () => {
  await proxy?.stop();
  await shop?.stop();
});

beforeEach(async () => {
  item = aNote();
  await others.create(note, item, by());
});

const lying = () => stored(shop.store, noteKey(item));

async function othersUpdate(times: number): Promise<void> {
  for (let count = 1; count <= times; count++) {
    const version = Number((await lying())?.version);
    await others.update(note, item, version, { count }, by());
  }
}

describe('an update whose reply is lost', () => {
  test.each([0, 1, 7])('is applied once and answered from the item, after %i others', async (times) => {
    proxy.fail('UpdateItem', { lost: 'reply', meanwhile: () => othersUpdate(times) });
    const answer = await write.update(note, item, first, { text: 'mine' }, by());
    expect(answer).toMatchObject({ version: first + 1 + times, item: { text: 'mine', count: times } });
    expect(await lying()).toMatchObject({ version: first + 1 + times, text: 'mine' });
    expect(proxy.count('UpdateItem')).toBe(2);
  });

  test.each([8, 12])('is unknown after %i others, never stale', async (times) => {
    proxy.fail('UpdateItem', { lost: 'reply', meanwhile: () => othersUpdate(times) });
    const update = write.update(note, item, first, { text: 'mine' }, by());
    await expect(update).rejects.toMatchObject({ name: 'Unknown' });
  });

  test('is unknown also when DynamoDB answered with an error of its own, though it was applied', async () => {
    const failed = { status: 500, type: 'InternalServerError', carriedOut: true } as const;
    proxy.fail('UpdateItem', { ...failed, meanwhile: () => othersUpdate(12) });
    const update = write.update(note, item, first, { text: 'mine' }, by());
    await expect(update).rejects.toMatchObject({ name: 'Unknown' });
  });

  test('is told of a removal that followed it', async () => {
    proxy.fail('UpdateItem', { lost: 'reply', meanwhile: () => others.remove(note, item, by()) });
    const update = write.update(note, item, first, { text: 'mine' }, by());
    await expect(update).rejects.toMatchObject({ name: 'Removed' });
  });

  test('is told when the item was removed and created again since', async () => {
    const replace = async () => {
      await others.remove(note, item, by());
      await writer({ ...shop.store, now: () => time + 1000 }).create(note, item, by());
    };
    proxy.fail('UpdateItem', { lost: 'reply', meanwhile: replace });
    const update = write.update(note, item, first, { text: 'mine' }, by());
    await expect(update).rejects.toMatchObject({ name: 'Removed' });
  });

  test('is unknown when every reply is lost, and found when it is sent again', async () => {
    const request = by();
    const lost = { lost: 'reply' } as const;
    proxy.fail('UpdateItem', lost, lost, lost, lost, lost);
    const update = write.update(note, item, first, { text: 'mine' }, request);
    await expect(update).rejects.toMatchObject({ name: 'Unknown' });
    proxy.fail('UpdateItem');
    const answer = await write.update(note, item, first, { text: 'mine' }, request);
    expect(answer).toMatchObject({ version: first + 1, item: { text: 'mine' } });
  });

  test('is unknown when the table is too busy for every repeat, never said to be unwritten', async () => {
    const busy = { status: 400, type: 'ProvisionedThroughputExceededException' };
    proxy.fail('UpdateItem', { lost: 'reply' }, busy, busy, busy, busy);
    const update = write.update(note, item, first, { text: 'mine' }, by());
    await expect(update).rejects.toMatchObject({ name: 'Unknown' });
    expect(await lying()).toMatchObject({ text: 'mine' });
  });

  test('is unknown also when a transaction of others was in the way of its repeat', async () => {
    const conflict = { status: 400, type: 'TransactionConflictException' };
    proxy.fail('UpdateItem', { lost: 'reply', meanwhile: () => othersUpdate(12) }, conflict);
    const update = write.update(note, item, first, { text: 'mine' }, by());
    await expect(update).rejects.toMatchObject({ name: 'Unknown' });
    expect(proxy.count('UpdateItem')).toBe(3);
  });
});

describe('an update that is lost on its way', () => {
  test('is applied by its repeat', async () => {
    proxy.fail('UpdateItem', { lost: 'request' });
    const answer = await write.update(note, item, first, { text: 'mine' }, by());
    expect(answer).toMatchObject({ version: first + 1, item: { text: 'mine' } });
  });

  test('is stale when another wrote meanwhile', async () => {
    proxy.fail('UpdateItem', { lost: 'request', meanwhile: () => othersUpdate(1) });
    const update = write.update(note, item, first, { text: 'mine' }, by());
    await expect(update).rejects.toMatchObject({ name: 'StaleVersion' });
  });
});

test('an update that was only throttled is stale, however many wrote meanwhile', async () => {
  const throttled = { status: 400, type: 'ThrottlingException', meanwhile: () => othersUpdate(12) };
  proxy.fail('UpdateItem', throttled);
  const update = write.update(note, item, first, { text: 'mine' }, by());
  await expect(update).rejects.toMatchObject({ name: 'StaleVersion' });
});

describe.each([
  ['a request key', letter],
  ['a natural key', note],
])('a creation with %s whose reply is lost', (_, entity) => {
  beforeEach(() => {
    item = aNote();
  });

  test('is created, once', async () => {
    proxy.fail('PutItem', { lost: 'reply' });
    const answer = await write.create(entity, item, by());
    expect(answer).toEqual({ outcome: 'created', item, version: first, expiresAt: undefined });
    expect(proxy.count('PutItem')).toBe(2);
  });

  test('is created also when another has changed it since', async () => {
    const meanwhile = () => others.update(entity, item, first, { text: 'changed' }, by());
    proxy.fail('PutItem', { lost: 'reply', meanwhile });
    const answer = await write.create(entity, item, by());
    expect(answer).toMatchObject({ outcome: 'created', item: { text: 'changed' }, version: first + 1 });
  });

  test('is told of a removal that followed it', async () => {
    proxy.fail('PutItem', { lost: 'reply', meanwhile: () => others.remove(entity, item, by()) });
    expect(await write.create(entity, item, by())).toEqual({ outcome: 'removed' });
  });

  test('is a repeat when its own request came first by another way', async () => {
    const request = by();
    const earlier = writer({ ...shop.store, now: () => time - 1 });
    proxy.fail('PutItem', { lost: 'request', meanwhile: () => earlier.create(entity, item, request) });
    expect(await write.create(entity, item, request)).toMatchObject({
      outcome: 'existing',
      version: first - 1000,
    });
  });
});

describe('a removal whose reply is lost', () => {
  test.each([undefined, first])('is done, once, with version %s', async (version) => {
    proxy.fail('PutItem', { lost: 'reply' });
    await write.remove(note, item, by(), version);
    expect(await lying()).toMatchObject({ version: first + 1, _removed: expect.any(String) });
  });

  test('does not remove what was created again meanwhile', async () => {
    const again = () => writer({ ...shop.store, now: () => time + 1000 }).create(note, item, by());
    proxy.fail('PutItem', { lost: 'reply', meanwhile: again });
    await write.remove(note, item, by());
    expect(await lying()).toMatchObject({ text: 'hello' });
  });
});

test('a removal without a version that is lost on its way also removes what another wrote meanwhile', async () => {
  proxy.fail('PutItem', { lost: 'request', meanwhile: () => othersUpdate(1) });
  await write.remove(note, item, by());
  expect(await lying()).toMatchObject({ version: first + 2, _removed: expect.any(String) });
});

test('a removal with a version that is lost on its way is stale when another wrote meanwhile', async () => {
  proxy.fail('PutItem', { lost: 'request', meanwhile: () => othersUpdate(1) });
  await expect(write.remove(note, item, by(), first)).rejects.toMatchObject({ name: 'StaleVersion' });
});

test('an addition whose reply is lost is applied once, whoever else adds', async () => {
  const meanwhile = () => others.add(note, item, { count: 10 }, by());
  proxy.fail('UpdateItem', { lost: 'reply', meanwhile }, { lost: 'reply' });
  await write.add(note, item, { count: 1 }, by());
  expect(await lying()).toMatchObject({ count: 11, version: first + 2 });
  expect(proxy.count('UpdateItem')).toBe(3);
});

test('an addition sent again later, by another call, is applied once', async () => {
  const request = by();
  proxy.fail('UpdateItem', ...Array(9).fill({ lost: 'reply' }));
  await expect(write.add(note, item, { count: 1 }, request)).rejects.toMatchObject({ name: 'Unknown' });
  proxy.fail('UpdateItem');
  await write.add(note, item, { count: 1 }, request);
  expect(await lying()).toMatchObject({ count: 1, version: first + 1 });
});

test('an addition that takes the last is not refused by its own lost reply', async () => {
  proxy.fail('UpdateItem', { lost: 'reply' });
  await write.add(note, item, { left: -10 }, by());
  expect(await lying()).toMatchObject({ left: 0 });
});
