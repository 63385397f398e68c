import { describe, expect, test } from 'vitest';
import { streamRecord } from './fakeStreams.ts';
import { checkpointOf, gate, numbersOf, oneToN, started, startFake, stoppedClock } from './harness.ts';

async function shardWith(count: number, options: Parameters<typeof startFake>[0] = {}) {
  const fake = await startFake(options);
  fake.shard('shard-1');
  fake.put('shard-1', ...oneToN(count).map((number) => streamRecord(number)));
  return fake;
}

const sizes = (calls: string[][]) => calls.map((call) => call.length);

describe('without a window', () => {
  test('one read goes at once, split to the batch size', async () => {
    const mapping = started(await shardWith(25), () => null, { batchSize: 10 });
    await mapping.drained();
    expect(sizes(mapping.calls)).toEqual([10, 10, 5]);
    expect(mapping.calls.flat()).toEqual(oneToN(25));
  });

  test('a batch does not wait for the next read', async () => {
    const mapping = started(await shardWith(6, { recordsPerPage: 4 }), () => null);
    await mapping.drained();
    expect(sizes(mapping.calls)).toEqual([4, 2]);
  });

  test('the default batch size is 100', async () => {
    const mapping = started(await shardWith(150), () => null);
    await mapping.drained();
    expect(sizes(mapping.calls)).toEqual([100, 50]);
  });
});

describe('with a window', () => {
  test('a batch gathers several reads until it is full, without waiting for the window', async () => {
    const fake = await shardWith(20, { recordsPerPage: 4 });
    const full = gate();
    const mapping = started(fake, (_event, call) => call === 2 && full.open(), {
      batchSize: 10,
      batchWindowSeconds: 300,
    });
    await full.passed;
    expect(sizes(mapping.calls)).toEqual([10, 10]);
  });

  test('a batch that does not fill goes when its window has passed since its first record', async () => {
    const fake = await shardWith(2);
    const clock = stoppedClock();
    const mapping = started(fake, () => null, { clock, batchWindowSeconds: 5 });
    await fake.seen('GetRecords', 3);
    clock.advance(3_000);
    fake.put('shard-1', streamRecord('3'));
    await fake.seen('GetRecords', 3);
    clock.advance(1_999);
    await fake.seen('GetRecords', 3);
    expect(mapping.calls).toEqual([]);
    clock.advance(1);
    await mapping.drained();
    expect(mapping.calls).toEqual([['1', '2', '3']]);
  });

  test('what a full batch leaves behind waits for its own window', async () => {
    const fake = await shardWith(12);
    const clock = stoppedClock();
    const mapping = started(fake, () => null, { clock, batchSize: 10, batchWindowSeconds: 0.5 });
    await fake.seen('GetRecords', 3);
    clock.advance(499);
    await fake.seen('GetRecords', 3);
    expect(sizes(mapping.calls)).toEqual([10]);
    clock.advance(1);
    await mapping.drained();
    expect(sizes(mapping.calls)).toEqual([10, 2]);
  });

  test('the end of a shard ends the wait', async () => {
    const fake = await shardWith(2);
    fake.close('shard-1');
    const mapping = started(fake, () => null, { batchWindowSeconds: 300 });
    await mapping.drained();
    expect(mapping.calls).toEqual([['1', '2']]);
  });

  test('stop does not wait for it, and leaves the records for the next start', async () => {
    const fake = await shardWith(2);
    const mapping = started(fake, () => null, { batchWindowSeconds: 300 });
    await fake.seen('GetRecords', 3);
    await mapping.stop();
    expect(mapping.calls).toEqual([]);
    expect(checkpointOf(mapping.checkpoints)).toBeUndefined();
  });
});

describe('the payload', () => {
  const megabyte = 1024 * 1024;
  const limit = 6 * megabyte;

  test('never exceeds 6 MB, and comes close', async () => {
    const fake = await startFake();
    fake.shard('shard-1');
    const big = { text: { S: 'x'.repeat(700_000) } };
    fake.put('shard-1', ...oneToN(20).map((number) => streamRecord(number, 'a', big)));
    const payloads: number[] = [];
    const mapping = started(fake, (event) => void payloads.push(Buffer.byteLength(JSON.stringify(event))));
    await mapping.drained();
    expect(mapping.calls.flat()).toEqual(oneToN(20));
    expect(sizes(mapping.calls)).toEqual([8, 8, 4]);
    expect(Math.max(...payloads)).toBeLessThanOrEqual(limit);
  });

  test('that would be too large goes at once, whatever the window', async () => {
    const fake = await startFake();
    fake.shard('shard-1');
    const big = { text: { S: 'é'.repeat(400_000) } };
    fake.put('shard-1', ...oneToN(8).map((number) => streamRecord(number, 'a', big)));
    const sent = gate();
    const mapping = started(fake, sent.open, { batchWindowSeconds: 300 });
    await sent.passed;
    expect(sizes(mapping.calls)).toEqual([7]);
  });
});

describe('a filter', () => {
  test('keeps records from the function, and the checkpoint passes them', async () => {
    const fake = await shardWith(7);
    const wanted = ['3', '4', '6'];
    const mapping = started(fake, () => null, {
      batchSize: 2,
      filter: (record) => wanted.includes(record.dynamodb?.SequenceNumber ?? ''),
    });
    await mapping.drained();
    expect(mapping.calls).toEqual([['3', '4'], ['6']]);
    expect(checkpointOf(mapping.checkpoints)).toBe('7');
  });

  test('that refuses everything invokes nothing, and the checkpoint passes all', async () => {
    const mapping = started(await shardWith(3), () => null, { filter: () => false });
    await mapping.drained();
    expect(mapping.calls).toEqual([]);
    expect(checkpointOf(mapping.checkpoints)).toBe('3');
  });

  test('lets the checkpoint pass a filtered record only after the one before it is done', async () => {
    const fake = await shardWith(4);
    const seen: (string | undefined)[] = [];
    const mapping = started(
      fake,
      (event, call) => {
        seen.push(checkpointOf(mapping.checkpoints));
        return call === 1 ? { batchItemFailures: [{ itemIdentifier: numbersOf(event).at(-1) }] } : null;
      },
      { filter: (record) => ['1', '3'].includes(record.dynamodb?.SequenceNumber ?? '') },
    );
    await mapping.drained();
    expect(mapping.calls).toEqual([['1', '3'], ['3']]);
    expect(seen).toEqual([undefined, '2']);
    expect(checkpointOf(mapping.checkpoints)).toBe('4');
  });

  test('that throws loses nothing: the page is read again', async () => {
    let faults = 2;
    const mapping = started(await shardWith(2), () => null, {
      filter: () => {
        if (faults-- > 0) throw new Error('bad filter');
        return true;
      },
    });
    await mapping.drained();
    expect(mapping.calls).toEqual([['1', '2']]);
    expect(mapping.warnings[0]).toContain('bad filter');
  });
});
