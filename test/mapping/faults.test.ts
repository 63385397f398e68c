import { expect, test } from 'vitest';
import { fakeStreams, fault, streamRecord, streamsClient } from './fakeStreams.ts';
import { checkpointOf, fastClock, numbersOf, oneToN, started, startFake, stoppedClock } from './harness.ts';

async function shardWith(...numbers: string[]) {
  const fake = await startFake({ recordsPerPage: 2 });
  fake.shard('shard-1');
  fake.put('shard-1', ...numbers.map((number) => streamRecord(number)));
  return fake;
}

test('an expired iterator is renewed after the last record read', async () => {
  const fake = await shardWith('7', '10', '11');
  fake.next(
    'GetRecords',
    () => undefined,
    () => fault('ExpiredIteratorException'),
  );
  const mapping = started(fake, () => null);
  await mapping.drained();
  expect(mapping.calls).toEqual([['7', '10'], ['11']]);
  expect(fake.requestsOf('GetShardIterator')[1]?.input).toMatchObject({
    ShardIteratorType: 'AFTER_SEQUENCE_NUMBER',
    SequenceNumber: '10',
  });
  expect(mapping.warnings).toEqual([]);
});

test('an iterator that expires before its first read is renewed from the oldest record', async () => {
  const fake = await shardWith('1');
  fake.next('GetRecords', () => fault('ExpiredIteratorException'));
  const mapping = started(fake, () => null);
  await mapping.drained();
  expect(mapping.calls).toEqual([['1']]);
});

test('an iterator that expires while a batch waits for its window is renewed behind that batch', async () => {
  const fake = await shardWith('1', '2', '3');
  fake.next(
    'GetRecords',
    () => undefined,
    () => fault('ExpiredIteratorException'),
  );
  const clock = stoppedClock();
  const mapping = started(fake, () => null, { clock, batchWindowSeconds: 1 });
  await fake.seen('GetRecords', 5);
  clock.advance(1_000);
  await mapping.drained();
  expect(mapping.calls).toEqual([['1', '2', '3']]);
});

test('trimmed data is read from the oldest record on, and the loss is said', async () => {
  const fake = await shardWith('1', '2', '3', '4', '5');
  fake.next(
    'GetRecords',
    () => undefined,
    () => {
      fake.trim('shard-1', 4);
      return fault('TrimmedDataAccessException');
    },
  );
  const mapping = started(fake, () => null);
  await mapping.drained();
  expect(mapping.calls).toEqual([['1', '2'], ['5']]);
  expect(mapping.warnings).toEqual([
    '[mapping project] data was lost: shard shard-1 no longer holds what followed 2',
  ]);
  expect(fake.requestsOf('GetShardIterator').at(-1)?.input.ShardIteratorType).toBe('TRIM_HORIZON');
});

test('an iterator that is trimmed before its first read is renewed at the beginning, without alarm', async () => {
  const fake = await shardWith('1', '2', '3');
  fake.next('GetRecords', () => {
    fake.trim('shard-1', 2);
    return fault('TrimmedDataAccessException');
  });
  const mapping = started(fake, () => null);
  await mapping.drained();
  expect(mapping.calls).toEqual([['3']]);
  expect(mapping.warnings).toEqual([]);
});

test('a checkpoint older than the stream is said to have lost data', async () => {
  const fake = await shardWith('1');
  const first = started(fake, () => null);
  await first.drained();
  await first.stop();
  fake.put('shard-1', streamRecord('9'));
  fake.trim('shard-1', 1);
  fake.next('GetShardIterator', () => fault('TrimmedDataAccessException'));
  const second = started(fake, () => null, { checkpoints: first.checkpoints });
  await second.drained();
  expect(second.calls).toEqual([['9']]);
  expect(second.warnings[0]).toContain('what followed 1');
});

test.each([
  ['InternalServerError', 500],
  ['ServiceUnavailable', 503],
  ['LimitExceededException', 400],
  ['ResourceNotFoundException', 400],
])('%s is tried again, wherever it comes', async (name, status) => {
  const fake = await shardWith('1', '2', '3');
  const broken = () => fault(name, status);
  fake.next('DescribeStream', broken, broken);
  fake.next('GetShardIterator', broken, broken);
  fake.next('GetRecords', broken, () => undefined, broken);
  const mapping = started(fake, () => null);
  await mapping.drained();
  expect(mapping.calls).toEqual([['1', '2'], ['3']]);
  expect(mapping.warnings[0]).toMatch(/^\[mapping project\] listing the shards failed, trying again: /);
});

test('a server that goes away and comes back is read on where it was', async () => {
  const first = await fakeStreams();
  first.shard('shard-1');
  first.put('shard-1', streamRecord('1'));
  const mapping = started(first, () => null);
  await mapping.drained();
  await first.shut();
  const drained = mapping.drained();
  const second = await startFake({ port: first.port });
  second.shard('shard-1');
  second.put('shard-1', streamRecord('1'), streamRecord('2'));
  await drained;
  expect(mapping.calls).toEqual([['1'], ['2']]);
});

test('a server that is not there yet is waited for, longer each time, and said once', async () => {
  const elsewhere = await fakeStreams();
  await elsewhere.shut();
  const clock = fastClock(1000);
  const { promise, resolve } = Promise.withResolvers<void>();
  const mapping = started(elsewhere, () => null, {
    clock: {
      now: clock.now,
      async sleep(milliseconds, signal) {
        await clock.sleep(milliseconds, signal);
        if (clock.slept.length === 12) resolve();
      },
    },
    retryDelay: (attempt) => Math.min(100 * 2 ** attempt, 5_000),
  });
  await promise;
  expect(clock.slept.slice(0, 8)).toEqual([200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  expect(mapping.warnings).toHaveLength(1);
  expect(mapping.warnings[0]).toContain('ECONNREFUSED');
  await mapping.stop();
});

test('a delay of nothing does not make it spin', async () => {
  const elsewhere = await fakeStreams();
  await elsewhere.shut();
  const clock = fastClock(1000);
  const { promise, resolve } = Promise.withResolvers<void>();
  const mapping = started(elsewhere, () => null, {
    clock: {
      now: clock.now,
      async sleep(milliseconds, signal) {
        await clock.sleep(milliseconds, signal);
        if (clock.slept.length === 5) resolve();
      },
    },
    pollMilliseconds: 50,
    retryDelay: () => 0,
  });
  await promise;
  await mapping.stop();
  expect(Math.min(...clock.slept)).toBe(50);
});

test('an idle shard is polled at its pace', async () => {
  const fake = await shardWith('1');
  const clock = fastClock(100);
  const mapping = started(fake, () => null, { clock, pollMilliseconds: 50 });
  await mapping.drained();
  const before = clock.slept.filter((slept) => slept === 50).length;
  await fake.seen('GetRecords', 10);
  const polls = clock.slept.filter((slept) => slept === 50).length - before;
  expect(polls).toBeGreaterThanOrEqual(8);
});

test('a page with a record that has no sequence number is not skipped', async () => {
  const fake = await shardWith('1');
  const nameless = {
    status: 200,
    body: { Records: [{ eventID: 'nameless' }], NextShardIterator: 'shard-1|1' },
  };
  fake.next('GetRecords', () => nameless);
  const mapping = started(fake, () => null);
  await mapping.drained();
  expect(mapping.calls).toEqual([['1']]);
  expect(mapping.warnings[0]).toContain('record nameless has no sequence number');
});

test('faults strewn over a long stream lose nothing and double nothing', async () => {
  const fake = await shardWith(...oneToN(40));
  const streams = streamsClient(fake.port);
  const names = ['ExpiredIteratorException', 'InternalServerError', 'LimitExceededException'];
  for (let read = 0; read < 30; read++) {
    const name = names[read % 4];
    fake.next('GetRecords', () => (name ? fault(name, name.startsWith('Internal') ? 500 : 400) : undefined));
  }
  const delivered: string[] = [];
  const mapping = started(fake, (event) => void delivered.push(...numbersOf(event)), { streams });
  await mapping.drained();
  expect(delivered).toEqual(oneToN(40));
  expect(checkpointOf(mapping.checkpoints)).toBe('40');
  await mapping.stop();
  streams.destroy();
});

test('a stream that was replaced by another is not read with the positions of the old one', async () => {
  const fake = await shardWith('1');
  fake.recreate('arn:of:another');
  const mapping = started(fake, () => null);
  await fake.seen('DescribeStream', 3);
  expect(fake.requestsOf('GetRecords')).toEqual([]);
  expect(mapping.warnings).toHaveLength(1);
  expect(mapping.warnings[0]).toContain('is gone; there is arn:of:another');
});
