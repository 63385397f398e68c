import { describe, expect, test } from 'vitest';
import { ok, streamArn, streamRecord } from './fakeStreams.ts';
import { checkpointOf, gate, oneToN, started, startFake, stoppedClock } from './harness.ts';

async function idleShard() {
  const fake = await startFake();
  fake.shard('shard-1');
  const mapping = started(fake, () => null);
  await mapping.drained();
  await fake.seen('GetRecords', 5);
  return { fake, mapping };
}

describe('drained', () => {
  test('resolves for an empty stream, and for one without shards', async () => {
    const fake = await startFake();
    const mapping = started(fake, () => null);
    await mapping.drained();
    fake.shard('shard-1');
    await mapping.drained();
    expect(mapping.calls).toEqual([]);
  });

  test('waits for the invocation in flight and its checkpoint', async () => {
    const { fake, mapping } = await idleShard();
    const order: string[] = [];
    fake.put('shard-1', streamRecord('1'), streamRecord('2'));
    const working = gate();
    const finish = gate();
    await mapping.stop();
    const slow = started(fake, async () => {
      working.open();
      await finish.passed;
      order.push('function answered');
    });
    await working.passed;
    const drained = slow.drained().then(() => order.push(`drained at ${checkpointOf(slow.checkpoints)}`));
    await fake.seen('DescribeStream');
    finish.open();
    await drained;
    expect(order).toEqual(['function answered', 'drained at 2']);
  });

  test('does not count the reads of a shard that was idle before', async () => {
    const { fake, mapping } = await idleShard();
    fake.put('shard-1', streamRecord('1'));
    await mapping.drained();
    expect(mapping.calls).toEqual([['1']]);
    expect(checkpointOf(mapping.checkpoints)).toBe('1');
  });

  test('does not count an empty read that began before the call', async () => {
    const { fake, mapping } = await idleShard();
    const reading = gate();
    const answer = gate();
    fake.next('GetRecords', async () => {
      reading.open();
      await answer.passed;
      return ok({ Records: [], NextShardIterator: 'shard-1|0' });
    });
    await reading.passed;
    fake.put('shard-1', streamRecord('1'));
    const drained = mapping.drained();
    answer.open();
    await drained;
    expect(mapping.calls).toEqual([['1']]);
  });

  test('does not count a listing that began before the call', async () => {
    const { fake, mapping } = await idleShard();
    const listing = gate();
    const answer = gate();
    fake.next('DescribeStream', async () => {
      listing.open();
      await answer.passed;
      return ok({ StreamDescription: { StreamArn: streamArn, Shards: [{ ShardId: 'shard-1' }] } });
    });
    await listing.passed;
    fake.shard('shard-2');
    fake.put('shard-2', streamRecord('9'));
    const drained = mapping.drained();
    await fake.seen('GetRecords', 8);
    answer.open();
    await drained;
    expect(mapping.calls).toEqual([['9']]);
  });

  test('is not deceived by an empty page or two before the records', async () => {
    const { fake, mapping } = await idleShard();
    fake.put('shard-1', streamRecord('1'));
    const empty = () => ok({ Records: [], NextShardIterator: 'shard-1|0' });
    fake.next('GetRecords', empty, empty);
    await mapping.drained();
    expect(mapping.calls).toEqual([['1']]);
  });

  test('starts counting empty pages anew after each record', async () => {
    const fake = await startFake({ recordsPerPage: 1 });
    fake.shard('shard-1');
    fake.put('shard-1', streamRecord('1'), streamRecord('2'));
    const empty = (position: number) => () => ok({ Records: [], NextShardIterator: `shard-1|${position}` });
    fake.next('GetRecords', empty(0), empty(0), () => undefined, empty(1), empty(1));
    const mapping = started(fake, () => null);
    await mapping.drained();
    expect(mapping.calls).toEqual([['1'], ['2']]);
  });

  test('waits for all shards, the slowest too', async () => {
    const fake = await startFake();
    const finish = gate();
    fake.shard('shard-1');
    fake.shard('shard-2');
    fake.put('shard-1', streamRecord('1'));
    fake.put('shard-2', streamRecord('2'));
    const order: string[] = [];
    const mapping = started(fake, async (event) => {
      if (event.Records[0]?.eventID === 'event-1') return;
      await finish.passed;
      order.push('slow shard done');
    });
    const drained = mapping.drained().then(() => order.push('drained'));
    await fake.seen('GetRecords', 10);
    finish.open();
    await drained;
    expect(order).toEqual(['slow shard done', 'drained']);
  });

  test('waits for the children of a shard that ends after the call, and for theirs', async () => {
    const { fake, mapping } = await idleShard();
    const reading = gate();
    const go = gate();
    fake.next('GetRecords', async () => {
      reading.open();
      await go.passed;
      return undefined;
    });
    await reading.passed;
    fake.put('shard-1', streamRecord('1'));
    fake.close('shard-1');
    fake.shard('child', { parent: 'shard-1', closed: true });
    fake.put('child', streamRecord('2'));
    fake.shard('grandchild', { parent: 'child' });
    fake.put('grandchild', streamRecord('3'));
    const drained = mapping.drained();
    go.open();
    await drained;
    expect(mapping.calls).toEqual([['1'], ['2'], ['3']]);
    expect(checkpointOf(mapping.checkpoints, 'grandchild')).toBe('3');
  });

  test('lists again after a shard has ended, for children that were listed late', async () => {
    const fake = await startFake();
    const listing = gate();
    const answer = gate();
    fake.shard('parent');
    fake.shard('other');
    const mapping = started(fake, async (event) => {
      if (event.Records[0]?.eventID !== 'event-1') return;
      await fake.seen('GetRecords', 5);
      fake.shard('child', { parent: 'parent' });
      fake.put('child', streamRecord('2'));
      fake.next('DescribeStream', async () => {
        listing.open();
        await answer.passed;
        return undefined;
      });
    });
    fake.put('parent', streamRecord('1'));
    fake.close('parent');
    const drained = mapping.drained();
    await listing.passed;
    await fake.seen('GetRecords', 8);
    answer.open();
    await drained;
    expect(mapping.calls).toEqual([['1'], ['2']]);
  });

  test('waits for a batch whose window has not passed', async () => {
    const fake = await startFake();
    fake.shard('shard-1');
    fake.put('shard-1', streamRecord('1'));
    const clock = stoppedClock();
    const mapping = started(fake, () => null, { clock, batchWindowSeconds: 10 });
    const drained = mapping.drained();
    await fake.seen('GetRecords', 8);
    expect(mapping.calls).toEqual([]);
    clock.advance(10_000);
    await drained;
    expect(mapping.calls).toEqual([['1']]);
    expect(checkpointOf(mapping.checkpoints)).toBe('1');
  });

  test('waits for retries, and for records that are handed over as exhausted', async () => {
    const fake = await startFake();
    fake.shard('shard-1');
    fake.put('shard-1', streamRecord('1'));
    const handedOver: string[] = [];
    const mapping = started(fake, () => Promise.reject(new Error('poison')), {
      maximumRetryAttempts: 3,
      onExhausted: async ({ startSequenceNumber }) => void handedOver.push(startSequenceNumber),
    });
    await mapping.drained();
    expect(mapping.calls).toHaveLength(4);
    expect(handedOver).toEqual(['1']);
  });

  test('can be asked by many at once and over again, while records keep coming', async () => {
    const fake = await startFake();
    fake.shard('shard-1');
    const mapping = started(fake, () => null, { batchSize: 3 });
    const asked = oneToN(40).map(async (number) => {
      fake.put('shard-1', streamRecord(number));
      await mapping.drained();
      expect(Number(checkpointOf(mapping.checkpoints))).toBeGreaterThanOrEqual(Number(number));
      if (Number(number) % 10 === 0) await fake.seen('GetRecords');
    });
    await Promise.all(asked);
    expect(mapping.calls.flat()).toEqual(oneToN(40));
  });

  test('is refused once the mapping is stopped, instead of never answering', async () => {
    const fake = await startFake();
    fake.shard('shard-1');
    fake.put('shard-1', streamRecord('1'));
    const working = gate();
    const mapping = started(fake, async () => {
      working.open();
      throw new Error('always');
    });
    const drained = mapping.drained();
    const refusal = expect(drained).rejects.toThrow(/\[mapping project\] was stopped before .* drained/);
    await working.passed;
    await mapping.stop();
    await refusal;
    await expect(mapping.drained()).rejects.toThrow(/was stopped/);
  });
});
