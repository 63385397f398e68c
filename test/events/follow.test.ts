/** How a stream of many shards is followed while it is recorded. */
import { expect, onTestFinished, test } from 'vitest';
import { followStream } from '../../src/ops/record/follow.ts';
import { fault, ok, streamArn, streamRecord, streamsClient } from '../mapping/fakeStreams.ts';
import { startFake } from '../mapping/harness.ts';

type Fake = Awaited<ReturnType<typeof startFake>>;

async function following(fake: Fake, { fromStart = true } = {}) {
  const streams = streamsClient(fake.port);
  onTestFinished(() => streams.destroy());
  const warnings: string[] = [];
  const warn = (line: string) => void warnings.push(line);
  const follower = await followStream({ streams, streamArn, fromStart, warn });
  return {
    warnings,
    /** Reads until nothing comes any more; the sequence numbers of all that came. */
    async numbers() {
      for (let rounds = 0; rounds < 3; rounds++) if ((await follower.read()) > 0) rounds = -1;
      expect(follower.size()).toBe(follower.records().length);
      return follower.records().map(({ dynamodb }) => dynamodb?.SequenceNumber);
    },
  };
}

function at(seconds: number, sequenceNumber: string) {
  const record = streamRecord(sequenceNumber);
  return { ...record, dynamodb: { ...Object(record.dynamodb), ApproximateCreationDateTime: seconds } };
}

test('records of several shards come by their time, those of one shard in its own order', async () => {
  const fake = await startFake({ shardsPerPage: 1, recordsPerPage: 2 });
  fake.shard('one');
  fake.shard('two');
  // A clock that went back does not turn a shard's order.
  fake.put('one', at(10, '1'), at(30, '2'), at(20, '3'), at(50, '4'));
  fake.put('two', at(5, '11'), at(25, '12'), at(40, '13'));
  const { numbers } = await following(fake);
  expect(await numbers()).toEqual(['11', '1', '12', '2', '3', '13', '4']);
});

test('a child comes after its parent, whatever the clock says, and also where it is listed first', async () => {
  const fake = await startFake();
  fake.shard('child', { parent: 'parent' });
  fake.shard('parent', { parent: 'forgotten', closed: true });
  fake.put('parent', at(10, '1'), at(20, '2'));
  fake.put('child', at(19, '3'), at(20, '4'));
  const { numbers } = await following(fake);
  expect(await numbers()).toEqual(['1', '2', '3', '4']);
});

test('from now on: what was there is not recorded, and a shard that comes later is read whole', async () => {
  const fake = await startFake();
  fake.shard('ended', { closed: true });
  fake.shard('open', { parent: 'ended' });
  fake.put('ended', at(1, '1'));
  fake.put('open', at(2, '2'));
  fake.next('GetShardIterator', ({ ShardId, ShardIteratorType }) => {
    expect([ShardId, ShardIteratorType]).toEqual(['open', 'LATEST']);
    return ok({ ShardIterator: 'open|1' });
  });
  const { numbers } = await following(fake, { fromStart: false });
  fake.put('open', at(3, '3'));
  fake.close('open');
  fake.shard('new', { parent: 'open' });
  fake.put('new', at(3, '4'));
  expect(await numbers()).toEqual(['3', '4']);
});

test('an iterator that expired is asked for anew, where it was read up to', async () => {
  const fake = await startFake({ recordsPerPage: 1 });
  fake.shard('one');
  fake.put('one', at(1, '1'), at(2, '2'));
  fake.next(
    'GetRecords',
    () => undefined,
    () => fault('ExpiredIteratorException'),
  );
  const { numbers, warnings } = await following(fake);
  expect(await numbers()).toEqual(['1', '2']);
  expect(warnings).toEqual([]);
});

test('what was trimmed before it was read is said', async () => {
  const fake = await startFake();
  fake.shard('one');
  fake.put('one', at(1, '1'));
  fake.next('GetRecords', () => fault('TrimmedDataAccessException'));
  const { numbers, warnings } = await following(fake);
  expect(await numbers()).toEqual(['1']);
  expect(warnings).toEqual(['Records of shard one may be missing: it was not read for too long.']);
});
