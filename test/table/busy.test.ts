import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Writer, writer } from '../../src/table/write/writer.ts';
import { by, type LocalShop, localShop } from '../support/shop.ts';
import { aNote, type Note, note, noteKey, stored } from './entities.ts';
import { type Fault, type FaultyProxy, startProxy } from './proxy.ts';

let shop: LocalShop;
let proxy: FaultyProxy;
let write: Writer;
let item: Note;
let version: number;

beforeAll(async () => {
  shop = await localShop();
  proxy = await startProxy(shop);
  write = writer(proxy.store);
});
afterAll(async () => {
  await proxy?.stop();
  await shop?.stop();
});

beforeEach(async () => {
  item = aNote();
  await writer(shop.store).create(note, item, by());
  version = Number((await stored(shop.store, noteKey(item)))?.version);
});

const lying = () => stored(shop.store, noteKey(item));
const refused = (type: string): Fault => ({ status: 400, type });
const cancelled = (...reasons: string[]): Fault => ({
  status: 400,
  type: 'TransactionCanceledException',
  reasons,
});
/** A creation that adds to the item: a transaction of two. */
const transact = () =>
  write.createWith(note, aNote(), [{ entity: note, key: item, amounts: { count: 1 } }], by());
const times = (count: number, fault: Fault): Fault[] => Array(count).fill(fault);

describe('is tried again and done', () => {
  test.each<[string, Fault[]]>([
    ['was throttled twice', times(2, refused('ProvisionedThroughputExceededException'))],
    ['was over the limit', [refused('RequestLimitExceeded')]],
    ['was twice in conflict with a transaction', times(2, refused('TransactionConflictException'))],
    ['failed inside DynamoDB', [{ status: 500, type: 'InternalServerError' }]],
  ])('an update that %s', async (_, faults) => {
    proxy.fail('UpdateItem', ...faults);
    const answer = await write.update(note, item, version, { text: 'mine' }, by());
    expect(answer).toMatchObject({ version: version + 1, item: { text: 'mine' } });
    expect(proxy.count('UpdateItem')).toBe(faults.length + 1);
  });

  test.each<[string, Fault[]]>([
    ['was throttled', [refused('ThrottlingException')]],
    ['was still in progress', [refused('TransactionInProgressException')]],
    ['was twice in conflict with another', times(2, cancelled('None', 'TransactionConflict'))],
    ['was cancelled by a throttled item', times(2, cancelled('ThrottlingError', 'None'))],
    ['was cancelled for want of throughput', times(2, cancelled('ProvisionedThroughputExceeded'))],
  ])('a transaction that %s', async (_, faults) => {
    proxy.fail('TransactWriteItems', ...faults);
    await transact();
    expect(await lying()).toMatchObject({ count: 1, version: version + 1 });
    expect(proxy.count('TransactWriteItems')).toBe(faults.length + 1);
  });

  test('a creation that was throttled, and a removal in conflict', async () => {
    proxy.fail('PutItem', refused('ProvisionedThroughputExceededException'));
    const other = aNote();
    expect(await write.create(note, other, by())).toMatchObject({ outcome: 'created' });
    proxy.fail('PutItem', refused('TransactionConflictException'));
    await write.remove(note, other, by());
    expect(await stored(shop.store, noteKey(other))).toMatchObject({ _removed: expect.any(String) });
  });
});

test('conflicts are waited out longer and longer', async () => {
  proxy.fail('TransactWriteItems', ...times(6, cancelled('TransactionConflict')));
  const began = performance.now();
  await transact();
  expect(performance.now() - began).toBeGreaterThan(100);
  expect(proxy.count('TransactWriteItems')).toBe(7);
});

test('what is throttled or in conflict to the end is busy, and nothing is written', async () => {
  proxy.fail('UpdateItem', ...times(99, refused('ProvisionedThroughputExceededException')));
  proxy.fail('TransactWriteItems', ...times(99, cancelled('TransactionConflict')));
  const update = write.update(note, item, version, { text: 'mine' }, by());
  const addition = transact();
  await Promise.all([
    expect(update).rejects.toMatchObject({ name: 'Busy', cause: { name: expect.stringMatching(/^Prov/) } }),
    expect(addition).rejects.toMatchObject({ name: 'Busy' }),
  ]);
  expect(proxy.count('UpdateItem')).toBeLessThan(6);
  expect(proxy.count('TransactWriteItems')).toBe(13);
  expect(await lying()).toMatchObject({ version, text: 'hello', count: 0 });
});

describe('is not tried again', () => {
  test.each(['ValidationException', 'AccessDeniedException', 'ResourceNotFoundException'])(
    'an update refused with %s',
    async (type) => {
      proxy.fail('UpdateItem', ...times(9, refused(type)));
      const update = write.update(note, item, version, { text: 'mine' }, by());
      await expect(update).rejects.toMatchObject({ name: 'Invalid', message: expect.stringContaining(type) });
      expect(proxy.count('UpdateItem')).toBe(1);
    },
  );

  test('a transaction with a part that is not valid', async () => {
    proxy.fail('TransactWriteItems', ...times(9, cancelled('TransactionConflict', 'ValidationError')));
    await expect(transact()).rejects.toMatchObject({ name: 'Invalid' });
    expect(proxy.count('TransactWriteItems')).toBe(1);
  });

  test('a transaction whose condition failed', async () => {
    const other = aNote();
    await write.create(note, other, by());
    proxy.fail('TransactWriteItems', ...times(9, cancelled('None', 'ConditionalCheckFailed')));
    const additions = [{ entity: note, key: other, amounts: { left: -1 } }];
    const creation = write.createWith(note, aNote(), additions, by());
    await expect(creation).rejects.toMatchObject({ name: 'NotFound' });
    expect(proxy.count('TransactWriteItems')).toBe(1);
  });
});

test('a failed condition beside a conflict decides nothing: the other transaction may be an equal request', async () => {
  proxy.fail('TransactWriteItems', ...times(2, cancelled('TransactionConflict', 'ConditionalCheckFailed')));
  expect(await transact()).toMatchObject({ outcome: 'created' });
  expect(proxy.count('TransactWriteItems')).toBe(3);
});
