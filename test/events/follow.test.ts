/** How a stream of many shards is followed while it is recorded. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { followStream, readToEnd } from '../../src/ops/record/follow.ts';
import { fault, ok, streamArn, streamRecord, streamsClient } from '../mapping/fakeStreams.ts';
import { startFake } from '../mapping/harness.ts';

type Fake = Awaited<ReturnType<typeof startFake>>;

async function following(fake: Fake, { fromStart = true } = {}) {
  const streams = streamsClient(fake.port);
  onTestFinished(() => streams.destroy());
  const warnings: string[] = [];
  const warn = (line: string) => void warnings.push(line);
  const follower = await followStream({ streams, streamArn, fromStart, warn });
  const numbersNow = () => follower.records().map(({ dynamodb }) => dynamodb?.SequenceNumber);
  return {
    warnings,
    /** The last look at the stop: the sequence numbers of all that came, and whether it came to rest. */
    async last(milliseconds = 3_000, count = Number.POSITIVE_INFINITY) {
      const isFull = () => follower.size() >= count;
      const rested = await readToEnd(follower, { milliseconds, pause: 1, isFull });
      return { rested, numbers: numbersNow() };
    },
    /** Reads until nothing comes any more; the sequence numbers of all that came. */
    async numbers() {
      for (let rounds = 0; rounds < 3; rounds++) if ((await follower.read()).found > 0) rounds = -1;
      expect(follower.size()).toBe(follower.records().length);
      return numbersNow();
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

describe('at the stop', () => {
  test('what lies in the children of a shard that has just ended, empty, is still read', async () => {
    const fake = await startFake();
    fake.shard('open');
    const { last } = await following(fake);
    expect(await last()).toEqual({ rested: true, numbers: [] });
    fake.close('open');
    fake.shard('child', { parent: 'open' });
    fake.shard('grandchild', { parent: 'child' });
    fake.close('child');
    fake.put('grandchild', at(3, '1'));
    expect(await last()).toEqual({ rested: true, numbers: ['1'] });
  });

  test('one shard is read on while another has nothing, and a page after an iterator that expired', async () => {
    const fake = await startFake({ recordsPerPage: 1 });
    fake.shard('idle');
    fake.shard('busy');
    const { last } = await following(fake);
    fake.put('busy', at(1, '1'), at(2, '2'), at(3, '3'));
    const expired = () => fault('ExpiredIteratorException');
    fake.next('GetRecords', expired, expired);
    expect(await last()).toEqual({ rested: true, numbers: ['1', '2', '3'] });
  });

  test('a stream that never rests is left when the time is up, and that is told', async () => {
    const fake = await startFake({ recordsPerPage: 1 });
    fake.shard('one');
    fake.put('one', ...Array.from({ length: 50 }, (_, index) => at(index, String(index + 1))));
    const { last } = await following(fake);
    const { rested, numbers } = await last(0);
    expect({ rested, numbers }).toEqual({ rested: false, numbers: ['1'] });
    expect(await last(0, 2)).toMatchObject({ rested: true });
  });
});
