import type { DynamoDBStreamEvent } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { eventSourceMapping } from '../../src/local/mapping/mapping.ts';
import type { Exhausted, LambdaContext, MappingOptions } from '../../src/local/mapping/options.ts';
import { streamArn, streamRecord, streamsClient } from './fakeStreams.ts';
import { type Answer, checkpointOf, fastClock, numbersOf, oneToN, started, startFake } from './harness.ts';

async function runBatch(count: number, answer: Answer, options: Partial<MappingOptions> = {}) {
  const fake = await startFake();
  fake.shard('shard-1');
  fake.put('shard-1', ...oneToN(count).map((number) => streamRecord(number)));
  const failures: Exhausted[] = [];
  const onExhausted = async (failure: Exhausted) => void failures.push(failure);
  const mapping = started(fake, answer, { onExhausted, ...options });
  await mapping.drained();
  return { ...mapping, failures };
}

const failingFrom = (itemIdentifier: string) => ({ batchItemFailures: [{ itemIdentifier }] });

function throwOn(poison: string): Answer {
  return (event) => {
    if (numbersOf(event).includes(poison)) throw new Error(`poison ${poison}`);
  };
}

describe('attempts', () => {
  test.each([0, 1, 3])(
    '%i retries make one invocation more, then the destination has it',
    async (retries) => {
      const { calls, failures } = await runBatch(2, throwOn('1'), { maximumRetryAttempts: retries });
      expect(calls).toHaveLength(retries + 1);
      expect(failures).toMatchObject([
        {
          condition: 'RetryAttemptsExhausted',
          approximateInvokeCount: retries + 1,
          shardId: 'shard-1',
          startSequenceNumber: '1',
          endSequenceNumber: '2',
        },
      ]);
    },
  );

  test('the destination gets whole records', async () => {
    const { failures } = await runBatch(1, throwOn('1'), { maximumRetryAttempts: 0 });
    expect(failures[0]?.records).toMatchObject([
      { eventID: 'event-1', eventVersion: '1.1', dynamodb: { NewImage: { pk: { S: 'a' } } } },
    ]);
  });

  test('an exhausted batch is passed and the next one goes', async () => {
    const { calls, checkpoints } = await runBatch(3, throwOn('1'), { maximumRetryAttempts: 1, batchSize: 1 });
    expect(calls).toEqual([['1'], ['1'], ['2'], ['3']]);
    expect(checkpointOf(checkpoints)).toBe('3');
  });

  test('partial failures use them up, and only what was not done is exhausted', async () => {
    const { calls, failures } = await runBatch(3, () => failingFrom('3'), { maximumRetryAttempts: 3 });
    expect(calls).toEqual([['1', '2', '3'], ['3'], ['3'], ['3']]);
    expect(failures).toMatchObject([{ approximateInvokeCount: 4, startSequenceNumber: '3' }]);
  });

  test('nothing is passed until the destination has taken it', async () => {
    let refusals = 3;
    const checkpointed: (string | undefined)[] = [];
    const folder: { path?: string } = {};
    const answer: Answer = throwOn('1');
    const fake = await startFake();
    fake.shard('shard-1');
    fake.put('shard-1', streamRecord('1'), streamRecord('2'));
    const mapping = started(fake, answer, {
      batchSize: 1,
      maximumRetryAttempts: 0,
      onExhausted: async () => {
        checkpointed.push(checkpointOf(folder.path ?? ''));
        if (refusals-- > 0) throw new Error('destination away');
      },
    });
    folder.path = mapping.checkpoints;
    await mapping.drained();
    expect(checkpointed).toEqual([undefined, undefined, undefined, undefined]);
    expect(mapping.calls).toEqual([['1'], ['2']]);
    expect(mapping.warnings).toEqual([
      '[mapping project] handing over exhausted records failed, trying again: Error: destination away',
    ]);
  });

  test('between retries it waits as long as the attempt says', async () => {
    const clock = fastClock(100);
    const answer: Answer = (_event, call) => {
      if (call <= 3) throw new Error('not yet');
    };
    await runBatch(1, answer, { clock, retryDelay: (attempt) => 7_000 + attempt });
    expect(clock.slept.filter((slept) => slept > 7_000 && slept < 8_000)).toEqual([7_001, 7_002, 7_003]);
  });
});

describe('bisect', () => {
  const bisectBatchOnFunctionError = true;

  test('a thrown error splits the batch in halves, left first, down to the one that fails', async () => {
    const { calls, failures } = await runBatch(5, throwOn('4'), {
      bisectBatchOnFunctionError,
      maximumRetryAttempts: 1,
    });
    expect(calls).toEqual([['1', '2', '3', '4', '5'], ['1', '2', '3'], ['4', '5'], ['4'], ['4'], ['5']]);
    expect(failures).toMatchObject([{ startSequenceNumber: '4', endSequenceNumber: '4' }]);
  });

  test('splitting uses up no attempt', async () => {
    const { calls, failures } = await runBatch(8, throwOn('1'), {
      bisectBatchOnFunctionError,
      maximumRetryAttempts: 0,
    });
    expect(calls.filter((call) => call.includes('1')).map((call) => call.length)).toEqual([8, 4, 2, 1]);
    expect(failures.flatMap(({ records }) => numbersOf({ Records: records }))).toEqual(['1']);
  });

  test('an answer that names no record of the batch splits it, too', async () => {
    const answer: Answer = (_event, call) => (call === 1 ? failingFrom('') : null);
    const { calls } = await runBatch(4, answer, { bisectBatchOnFunctionError });
    expect(calls).toEqual([
      ['1', '2', '3', '4'],
      ['1', '2'],
      ['3', '4'],
    ]);
  });

  test('a partial failure splits at the returned sequence number and uses up no attempt', async () => {
    const answers = [failingFrom('2'), failingFrom('4'), null];
    const { calls, failures } = await runBatch(5, (_event, call) => answers[call - 1], {
      bisectBatchOnFunctionError,
      maximumRetryAttempts: 0,
    });
    expect(calls).toEqual([
      ['1', '2', '3', '4', '5'],
      ['2', '3', '4', '5'],
      ['4', '5'],
    ]);
    expect(failures).toEqual([]);
  });

  test('a partial failure of the first record is no split: it uses up an attempt', async () => {
    const { calls, failures } = await runBatch(2, () => failingFrom('1'), {
      bisectBatchOnFunctionError,
      maximumRetryAttempts: 2,
    });
    expect(calls).toEqual([
      ['1', '2'],
      ['1', '2'],
      ['1', '2'],
    ]);
    expect(failures).toHaveLength(1);
  });
});

describe('the context', () => {
  test('counts down the time that remains', async () => {
    const contexts: LambdaContext[] = [];
    const invoke = async (_event: DynamoDBStreamEvent, context: LambdaContext) => void contexts.push(context);
    await runBatch(1, () => null, { invoke, functionTimeoutMilliseconds: 5_000 });
    const [context] = contexts;
    expect(context?.functionName).toBe('project');
    expect(context?.getRemainingTimeInMillis()).toBeLessThanOrEqual(5_000);
    expect(context?.getRemainingTimeInMillis()).toBeGreaterThan(0);
  });

  test('a function past its time has failed, and is invoked again', async () => {
    const errors: unknown[] = [];
    const never = new Promise(() => {});
    const { calls } = await runBatch(1, (_event, call) => (call === 1 ? never : null), {
      clock: fastClock(100),
      functionTimeoutMilliseconds: 3_000,
      onInvocation: ({ outcome }) => outcome.result === 'failed' && errors.push(outcome.error),
    });
    expect(calls).toEqual([['1'], ['1']]);
    expect(String(errors[0])).toMatch(/Task timed out after 3\.00 seconds$/);
  });
});

describe('options', () => {
  const refused = (options: Partial<MappingOptions>) => () =>
    eventSourceMapping({
      name: 'project',
      streamArn,
      region: 'eu-west-1',
      streams: streamsClient(1),
      invoke: async () => null,
      checkpoints: '/nowhere',
      ...options,
    });

  test('finite attempts without a destination are refused, since records would be thrown away', () => {
    expect(refused({ maximumRetryAttempts: 3 })).toThrow(
      /\[mapping project\] maximumRetryAttempts is 3, but without onExhausted .* thrown away/,
    );
  });

  test.each([
    { batchSize: 0 },
    { batchSize: 10_001 },
    { batchSize: 1.5 },
    { batchWindowSeconds: -1 },
    { batchWindowSeconds: 301 },
    { maximumRetryAttempts: -2 },
    { functionTimeoutMilliseconds: 0 },
    { pollMilliseconds: 0 },
    { batchSize: Number.NaN },
  ])('%o is refused', (options) => {
    expect(refused(options)).toThrow(/\[mapping project\] \w+ is .*, and must lie in/);
  });
});
