import type { DynamoDBStreamEvent } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/local/mapping/answer.ts';
import type { MappingOptions } from '../../src/local/mapping/options.ts';
import { streamRecord } from './fakeStreams.ts';
import { type Answer, checkpointOf, started, startFake } from './harness.ts';

async function runBatch(numbers: string[], answer: Answer, options: Partial<MappingOptions> = {}) {
  const fake = await startFake();
  fake.shard('shard-1');
  fake.put('shard-1', ...numbers.map((number) => streamRecord(number)));
  const outcomes: Outcome[] = [];
  const mapping = started(fake, answer, {
    onInvocation: ({ outcome }) => outcomes.push(outcome),
    ...options,
  });
  await mapping.drained();
  return { ...mapping, outcomes };
}

const failing = (...identifiers: unknown[]) => ({
  batchItemFailures: identifiers.map((itemIdentifier) => ({ itemIdentifier })),
});

describe('with batchItemFailures', () => {
  test.each([
    ['an empty list of failures', { batchItemFailures: [] }],
    ['a null list of failures', { batchItemFailures: null }],
    ['an empty object', {}],
    ['an empty list alone', []],
    ['null', null],
    ['nothing', undefined],
    ['a misspelt key, and the records are lost', { failedItems: [{ itemIdentifier: '1' }] }],
  ])('%s is success', async (_what, answer) => {
    const { calls, outcomes } = await runBatch(['1', '2', '3'], () => answer);
    expect(calls).toEqual([['1', '2', '3']]);
    expect(outcomes).toEqual([{ result: 'succeeded' }]);
  });

  test.each([
    ['an empty identifier', failing('')],
    ['a null identifier', failing(null)],
    ['an identifier under the wrong key', { batchItemFailures: [{ ItemIdentifier: '2' }] }],
    ['an identifier that JSON leaves out', failing(undefined)],
    ['an identifier that is not in the batch', failing('4')],
    ['a number, even one that is in the batch', failing(2)],
    ['a good identifier beside a bad one', failing('2', '')],
    ['a null instead of an item', { batchItemFailures: [null] }],
    ['failures that are no list', { batchItemFailures: { itemIdentifier: '2' } }],
    ['a string', 'done'],
    ['a list of items', [{ itemIdentifier: '2' }]],
    ['an answer that has no JSON', { batchItemFailures: [1n] }],
  ])('%s fails the whole batch', async (_what, answer) => {
    const { calls, outcomes } = await runBatch(['1', '2', '3'], (_event, call) =>
      call === 1 ? answer : null,
    );
    expect(calls).toEqual([
      ['1', '2', '3'],
      ['1', '2', '3'],
    ]);
    expect(outcomes[0]).toMatchObject({ result: 'failed', error: expect.any(Error) });
  });

  test('a thrown error fails the whole batch, thrown at once or later', async () => {
    const { calls, outcomes } = await runBatch(['1', '2'], () => null, {
      invoke: throwsTwice(),
    });
    expect(calls).toEqual([]);
    expect(outcomes.map(({ result }) => result)).toEqual(['failed', 'failed', 'succeeded']);
  });

  test('the lowest of many identifiers is where the retry begins', async () => {
    const { calls, outcomes } = await runBatch(['1', '2', '3', '4'], (_event, call) =>
      call === 1 ? failing('4', '2', '3') : null,
    );
    expect(calls).toEqual([
      ['1', '2', '3', '4'],
      ['2', '3', '4'],
    ]);
    expect(outcomes[0]).toEqual({ result: 'partial', from: '2' });
  });

  test('identifiers beyond what a number can tell apart are compared exactly', async () => {
    const numbers = ['800000000003126276361', '800000000003126276362', '800000000003126276363'];
    const { calls } = await runBatch(numbers, (_event, call) =>
      call === 1 ? failing(numbers[2], numbers[1]) : null,
    );
    expect(calls[1]).toEqual(numbers.slice(1));
  });

  test('identifiers of different lengths are compared as numbers, not as strings', async () => {
    const numbers = ['8', '9', '10', '11'];
    const { calls } = await runBatch(numbers, (_event, call) => (call === 1 ? failing('10', '9') : null));
    expect(calls[1]).toEqual(['9', '10', '11']);
  });

  test('the records before the lowest identifier are checkpointed before the rest is retried', async () => {
    const seen: (string | undefined)[] = [];
    const answer = (_event: DynamoDBStreamEvent, call: number) => {
      seen.push(checkpointOf(mapping.checkpoints));
      return call === 1 ? failing('3') : null;
    };
    const fake = await startFake();
    fake.shard('shard-1');
    fake.put('shard-1', streamRecord('1'), streamRecord('2'), streamRecord('3'));
    const mapping = started(fake, answer);
    await mapping.drained();
    expect(seen).toEqual([undefined, '2']);
  });
});

describe('without batchItemFailures', () => {
  test.each([
    ['identifiers', failing('1')],
    ['a string', 'whatever'],
  ])('a function that answers %s has succeeded', async (_what, answer) => {
    const { calls } = await runBatch(['1', '2'], () => answer, { reportBatchItemFailures: false });
    expect(calls).toEqual([['1', '2']]);
  });

  test('a function that throws has failed', async () => {
    const answer = (_event: DynamoDBStreamEvent, call: number) => {
      if (call === 1) throw new Error('no');
    };
    const { calls } = await runBatch(['1', '2'], answer, { reportBatchItemFailures: false });
    expect(calls).toHaveLength(2);
  });
});

function throwsTwice(): MappingOptions['invoke'] {
  let call = 0;
  return (event) => {
    call++;
    if (call === 1) throw new Error('at once');
    return call === 2 ? Promise.reject(new Error('later')) : Promise.resolve(event && null);
  };
}
