/** What the write side and the deliveries build on: conditions, transactions and reads of DynamoDB. */
import {
  type AttributeValue,
  BatchGetItemCommand,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Sentence, scenario } from './scenario.ts';
import { openTables, type Tables } from './tables.ts';

type Item = Record<string, AttributeValue>;
type Extra = Omit<PutItemCommandInput, 'TableName' | 'Item'>;

const item = (pk: string, more: Item = {}): Item => ({ pk: { S: pk }, sk: { S: 'x' }, ...more });
const n = (value: number | string): Item => ({ n: { N: String(value) } });
const absent = { ConditionExpression: 'attribute_not_exists(pk)' };

scenario('table', ['dynoxide', script()], { dynamodb: script });

function script(endpoint?: string) {
  return (sentence: Sentence) => {
    let tables: Tables;
    let TableName: string;
    beforeAll(async () => {
      tables = await openTables(endpoint);
      ({ TableName } = await tables.newTable());
    });
    afterAll(() => tables.stop());

    const put = (Item: Item, extra: Extra = {}) =>
      tables.dynamodb.send(new PutItemCommand({ TableName, Item, ...extra }));
    const held = async (pk: string) =>
      (
        await tables.dynamodb.send(
          new GetItemCommand({
            TableName,
            Key: item(pk),
            ConsistentRead: true,
            ReturnConsumedCapacity: 'NONE',
          }),
        )
      ).Item;
    const update = (pk: string, UpdateExpression: string, more: object = {}) =>
      tables.dynamodb.send(new UpdateItemCommand({ TableName, Key: item(pk), UpdateExpression, ...more }));
    const transact = (...TransactItems: TransactWriteItem[]) =>
      tables.dynamodb.send(new TransactWriteItemsCommand({ TransactItems }));
    const putting = (Item: Item, extra: Extra = {}): TransactWriteItem => ({
      Put: { TableName, Item, ...(extra as object) },
    });
    const query = (more: object) =>
      tables.dynamodb.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: '#group = :group',
          ExpressionAttributeNames: { '#group': 'group' },
          IndexName: 'byGroup',
          ...more,
        }),
      );

    sentence('of many who put what must not be there, one does', async () => {
      const all = await Promise.allSettled(
        Array.from({ length: 20 }, (_, at) => put(item('once', n(at)), absent)),
      );
      expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const [refused] = all.filter((one) => one.status === 'rejected');
      expect(refused?.reason).toMatchObject({ name: 'ConditionalCheckFailedException' });
    });

    sentence('a condition that fails shows the item, if one asks for it', async () => {
      await put(item('shown', n(1)));
      await expect(put(item('shown'), absent)).rejects.toHaveProperty('Item', undefined);
      await expect(
        put(item('shown'), { ...absent, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }),
      ).rejects.toMatchObject({ name: 'ConditionalCheckFailedException', Item: item('shown', n(1)) });
    });

    sentence('a cancelled transaction says why, action by action, and nothing of it is done', async () => {
      await put(item('there', n(1)));
      const refused = putting(item('there'), { ...absent, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' });
      await expect(transact(putting(item('beside')), refused)).rejects.toMatchObject({
        name: 'TransactionCanceledException',
        CancellationReasons: [
          { Code: 'None' },
          { Code: 'ConditionalCheckFailed', Item: item('there', n(1)) },
        ],
      });
      expect(await held('beside')).toBeUndefined();
      expect(await held('there')).toEqual(item('there', n(1)));
    });

    sentence('a transaction checks an item that it does not write', async () => {
      await put(item('guard', n(1)));
      const guard = (expected: number): TransactWriteItem => ({
        ConditionCheck: {
          TableName,
          Key: item('guard'),
          ConditionExpression: 'n = :n',
          ExpressionAttributeValues: { ':n': { N: String(expected) } },
        },
      });
      await expect(transact(guard(2), putting(item('guarded')))).rejects.toMatchObject({
        CancellationReasons: [{ Code: 'ConditionalCheckFailed' }, { Code: 'None' }],
      });
      await transact(guard(1), putting(item('guarded')));
      expect(await held('guarded')).toEqual(item('guarded'));
    });

    sentence('a transaction takes 100 actions, and no more', async () => {
      const many = (count: number) =>
        Array.from({ length: count }, (_, at) => putting(item(`of many ${at}`)));
      await expect(transact(...many(101))).rejects.toMatchObject({ name: 'ValidationException' });
      await transact(...many(100));
    });

    sentence('a transaction has one action for an item', async () => {
      await expect(transact(putting(item('twice')), putting(item('twice')))).rejects.toMatchObject({
        name: 'ValidationException',
      });
    });

    sentence('a transaction that comes again with its token is done once', async () => {
      const add = (by: number) =>
        tables.dynamodb.send(
          new TransactWriteItemsCommand({
            ClientRequestToken: 'the-same-again',
            TransactItems: [
              {
                Update: {
                  TableName,
                  Key: item('added'),
                  UpdateExpression: 'ADD n :by',
                  ExpressionAttributeValues: { ':by': { N: String(by) } },
                },
              },
            ],
          }),
        );
      await add(2);
      await add(2);
      expect(await held('added')).toMatchObject(n(2));
      await expect(add(3)).rejects.toMatchObject({ name: 'IdempotentParameterMismatchException' });
    });

    sentence('an update counts up and answers with the new values', async () => {
      const values = { ExpressionAttributeValues: { ':one': { N: '1' } }, ReturnValues: 'ALL_NEW' };
      const all = await Promise.all(
        Array.from({ length: 20 }, () => update('counted', 'ADD n :one', values)),
      );
      const numbers = all.map(({ Attributes }) => Number(Attributes?.n?.N)).sort((a, b) => a - b);
      expect(numbers).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    });

    sentence('an update takes one attribute out of a map, and leaves the rest', async () => {
      await put(item('map', { map: { M: { a: { N: '1' }, b: { N: '2' } } } }));
      await update('map', 'REMOVE #map.#a', { ExpressionAttributeNames: { '#map': 'map', '#a': 'a' } });
      expect(await held('map')).toEqual(item('map', { map: { M: { b: { N: '2' } } } }));
    });

    sentence('an item of 409,600 bytes is taken, and of one more refused', async () => {
      const of = (bytes: number) => item('large', { a: { S: 'x'.repeat(bytes - 'pklargeskxa'.length) } });
      await put(of(409_600));
      await expect(put(of(409_601))).rejects.toMatchObject({ name: 'ValidationException' });
    });

    sentence('a number keeps 38 digits, and has no more', async () => {
      const digits = '12345678901234567890123456789012345678';
      await put(item('digits', n(digits)));
      expect(await held('digits')).toMatchObject(n(digits));
      await expect(put(item('digits', n(`${digits}9`)))).rejects.toMatchObject({
        name: 'ValidationException',
      });
    });

    sentence('a batch reads 100 items at most, none twice, and leaves out what is not there', async () => {
      await put(item('batch 1'));
      const read = (...Keys: Item[]) =>
        tables.dynamodb.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys } } }));
      const { Responses, UnprocessedKeys = {} } = await read(item('batch 1'), item('batch 2'));
      expect(Responses?.[TableName]).toEqual([item('batch 1')]);
      expect(UnprocessedKeys).toEqual({});
      const refused = { name: 'ValidationException' };
      await expect(read(item('batch 1'), item('batch 1'))).rejects.toMatchObject(refused);
      const many = Array.from({ length: 101 }, (_, at) => item(`batch ${at}`));
      await expect(read(...many)).rejects.toMatchObject(refused);
    });

    sentence('an index holds what has its keys, in their order, page by page', async () => {
      const group = { group: { S: 'paged' } };
      for (const sk of ['c', 'a', 'b']) await put({ ...item('paged', group), sk: { S: sk } });
      await put(item('not in it'));
      const values = { ExpressionAttributeValues: { ':group': { S: 'paged' } } };
      const first = await query({ ...values, Limit: 2 });
      expect(first.Items?.map(({ sk }) => sk?.S)).toEqual(['a', 'b']);
      expect(first.LastEvaluatedKey).toEqual({ ...item('paged', group), sk: { S: 'b' } });
      const next = await query({ ...values, Limit: 2, ExclusiveStartKey: first.LastEvaluatedKey });
      expect(next.Items?.map(({ sk }) => sk?.S)).toEqual(['c']);
      expect(next.LastEvaluatedKey).toBeUndefined();
      const back = await query({ ...values, ScanIndexForward: false });
      expect(back.Items?.map(({ sk }) => sk?.S)).toEqual(['c', 'b', 'a']);
    });

    sentence('an index is never read consistently, and no key of it is empty', async () => {
      const values = { ExpressionAttributeValues: { ':group': { S: 'any' } } };
      const refused = { name: 'ValidationException' };
      await expect(query({ ...values, ConsistentRead: true })).rejects.toMatchObject(refused);
      await expect(put(item('empty', { group: { S: '' } }))).rejects.toMatchObject(refused);
      await expect(put(item('other', { group: { N: '1' } }))).rejects.toMatchObject(refused);
    });

    sentence('what is larger than 1 MB comes in pages', async () => {
      const a = { S: 'x'.repeat(390_000) };
      const keys = ['1', '2', '3', '4', '5'];
      for (const sk of keys) await put({ ...item('wide', { a, group: { S: 'wide' } }), sk: { S: sk } });
      const values = { ExpressionAttributeValues: { ':group': { S: 'wide' } } };
      const found: (string | undefined)[] = [];
      let from: Item | undefined;
      let pages = 0;
      do {
        const { Items = [], LastEvaluatedKey } = await query({ ...values, ExclusiveStartKey: from });
        found.push(...Items.map(({ sk }) => sk?.S));
        from = LastEvaluatedKey;
        pages += 1;
      } while (from !== undefined);
      expect(found).toEqual(keys);
      expect(pages).toBeGreaterThan(1);
    });

    sentence('a table that is not there is named as such', async () => {
      const missing = new GetItemCommand({ TableName: 'nowhere', Key: item('a') });
      await expect(tables.dynamodb.send(missing)).rejects.toMatchObject({
        name: 'ResourceNotFoundException',
      });
    });
  };
}
