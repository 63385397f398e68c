import { expect, test } from 'vitest';
import { streamRecord } from './fakeStreams.ts';
import { checkpointOf, gate, numbersOf, oneToN, started, startFake } from './harness.ts';

const has = (numbers: string[], number: string) => numbers.includes(number);

test('all pages of shards are listed', async () => {
  const fake = await startFake({ shardsPerPage: 2 });
  for (const number of oneToN(5)) {
    fake.shard(`shard-${number}`);
    fake.put(`shard-${number}`, streamRecord(number));
  }
  const mapping = started(fake, () => null);
  await mapping.drained();
  expect(mapping.calls.flat().sort()).toEqual(oneToN(5));
});

test('a parent is done to its end before its children begin, over generations', async () => {
  const fake = await startFake();
  fake.shard('grandchild', { parent: 'child-1' });
  fake.shard('child-2', { parent: 'parent' });
  fake.shard('child-1', { parent: 'parent', closed: true });
  fake.shard('parent', { closed: true });
  fake.put('parent', streamRecord('1'), streamRecord('2'));
  fake.put('child-1', streamRecord('11'));
  fake.put('child-2', streamRecord('21'));
  fake.put('grandchild', streamRecord('111'));
  const failing = new Set(['2', '11']);
  const accepted: string[] = [];
  const mapping = started(fake, (event) => {
    const numbers = numbersOf(event);
    const failed = numbers.find((number) => failing.delete(number));
    accepted.push(...numbers.slice(0, failed ? numbers.indexOf(failed) : undefined));
    return { batchItemFailures: failed ? [{ itemIdentifier: failed }] : [] };
  });
  await mapping.drained();
  expect(accepted.slice(0, 2)).toEqual(['1', '2']);
  expect(accepted.filter((number) => number !== '21')).toEqual(['1', '2', '11', '111']);
  expect(accepted).toContain('21');
});

test('a child waits even while its parent is stuck in a failing batch', async () => {
  const fake = await startFake();
  fake.shard('parent', { closed: true });
  fake.shard('child', { parent: 'parent' });
  fake.put('parent', streamRecord('1'));
  fake.put('child', streamRecord('2'));
  let failures = 5;
  const mapping = started(fake, (event) => {
    if (has(numbersOf(event), '1') && failures-- > 0) throw new Error('stuck');
  });
  await mapping.drained();
  expect(mapping.calls.flat()).toEqual(['1', '1', '1', '1', '1', '1', '2']);
});

test('children are read from their oldest record, never from LATEST', async () => {
  const fake = await startFake();
  fake.shard('parent', { closed: true });
  fake.shard('child', { parent: 'parent' });
  fake.put('child', streamRecord('5'), streamRecord('6'));
  const mapping = started(fake, () => null);
  await mapping.drained();
  expect(mapping.calls).toEqual([['5', '6']]);
  const types = fake.requestsOf('GetShardIterator').map(({ input }) => input.ShardIteratorType);
  expect(types).toEqual(['TRIM_HORIZON', 'TRIM_HORIZON']);
});

test('a shard that splits while it runs is followed by its children', async () => {
  const fake = await startFake();
  fake.shard('parent');
  fake.put('parent', streamRecord('1'));
  const mapping = started(fake, () => null);
  await mapping.drained();
  fake.shard('child-1', { parent: 'parent' });
  fake.shard('child-2', { parent: 'parent' });
  fake.put('parent', streamRecord('2'));
  fake.close('parent');
  fake.put('child-1', streamRecord('3'));
  fake.put('child-2', streamRecord('4'));
  await mapping.drained();
  expect(mapping.calls.slice(0, 2)).toEqual([['1'], ['2']]);
  expect(mapping.calls.slice(2).flat().sort()).toEqual(['3', '4']);
});

test('a shard that appears from nowhere is found', async () => {
  const fake = await startFake();
  const found = gate();
  const mapping = started(fake, found.open);
  await fake.seen('DescribeStream');
  fake.shard('shard-1');
  fake.put('shard-1', streamRecord('1'));
  await found.passed;
  expect(mapping.calls).toEqual([['1']]);
});

test('a parent that is not listed any more is not waited for', async () => {
  const fake = await startFake();
  fake.shard('orphan', { parent: 'expired long ago' });
  fake.put('orphan', streamRecord('1'));
  const mapping = started(fake, () => null);
  await mapping.drained();
  expect(mapping.calls).toEqual([['1']]);
});

test('a parent that leaves the listing while it is being read is waited for', async () => {
  const fake = await startFake();
  fake.shard('parent', { closed: true });
  fake.put('parent', streamRecord('1'));
  const working = gate();
  const finish = gate();
  const mapping = started(fake, async (event) => {
    if (!has(numbersOf(event), '1')) return;
    working.open();
    await finish.passed;
  });
  await working.passed;
  fake.forget('parent');
  fake.shard('child', { parent: 'parent' });
  fake.put('child', streamRecord('2'));
  const drained: Promise<void>[] = [];
  for (let listing = 1; listing <= 3; listing++) {
    const listed = fake.seen('DescribeStream');
    drained.push(mapping.drained());
    await listed;
  }
  expect(fake.requestsOf('GetShardIterator').map(({ input }) => input.ShardId)).toEqual(['parent']);
  finish.open();
  await Promise.all(drained);
  expect(mapping.calls).toEqual([['1'], ['2']]);
  expect(mapping.warnings).toEqual([]);
});

test('a shard that expires while it is being read counts as ended, and that is said', async () => {
  const fake = await startFake();
  fake.shard('parent');
  fake.shard('child', { parent: 'parent' });
  fake.put('parent', streamRecord('1'));
  fake.put('child', streamRecord('2'));
  const mapping = started(fake, (event) => {
    if (has(numbersOf(event), '1')) fake.forget('parent');
  });
  await mapping.drained();
  expect(mapping.calls).toEqual([['1'], ['2']]);
  expect(mapping.warnings.at(-1)).toContain('data may be lost: shard parent expired, read up to 1');
});

test('shards run side by side, each one serially', async () => {
  const fake = await startFake();
  const running = { 'shard-1': 0, 'shard-2': 0 };
  const bothRun = gate();
  let overlap = false;
  fake.shard('shard-1');
  fake.shard('shard-2');
  fake.put('shard-1', ...oneToN(4).map((number) => streamRecord(number, 'shard-1')));
  fake.put('shard-2', ...oneToN(4).map((number) => streamRecord(number, 'shard-2')));
  const answer = async (event: Parameters<Parameters<typeof started>[1]>[0]) => {
    const shard = event.Records[0]?.dynamodb?.Keys?.pk?.S === 'shard-1' ? 'shard-1' : 'shard-2';
    running[shard]++;
    if (running[shard] > 1) overlap = true;
    if (running['shard-1'] && running['shard-2']) bothRun.open();
    await bothRun.passed;
    running[shard]--;
  };
  const mapping = started(fake, answer, { batchSize: 1 });
  await mapping.drained();
  expect(mapping.calls).toHaveLength(8);
  expect(overlap).toBe(false);
});

test('an empty page is not the end of a closed shard', async () => {
  const fake = await startFake();
  fake.shard('shard-1', { closed: true });
  fake.put('shard-1', streamRecord('1'));
  const empty = { status: 200, body: { Records: [], NextShardIterator: 'shard-1|0' } };
  fake.next(
    'GetRecords',
    () => empty,
    () => empty,
    () => empty,
    () => empty,
  );
  const mapping = started(fake, () => null);
  await fake.seen('GetRecords', 5);
  await mapping.drained();
  expect(mapping.calls).toEqual([['1']]);
});

test('an ended shard is not opened again by the next start', async () => {
  const fake = await startFake();
  fake.shard('parent', { closed: true });
  fake.shard('child', { parent: 'parent' });
  fake.put('parent', streamRecord('1'));
  const first = started(fake, () => null);
  await first.drained();
  await first.stop();
  const before = fake.requests.length;
  fake.put('child', streamRecord('2'));
  const second = started(fake, () => null, { checkpoints: first.checkpoints });
  await second.drained();
  expect(second.calls).toEqual([['2']]);
  const opened = fake.requests.slice(before).map(({ input }) => input.ShardId);
  expect(opened).not.toContain('parent');
  expect(checkpointOf(first.checkpoints, 'child')).toBe('2');
});
