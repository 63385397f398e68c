import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/local/mapping/clock.ts';
import { eventSourceMapping } from '../../src/local/mapping/mapping.ts';
import { streamArn, streamRecord, streamsClient } from './fakeStreams.ts';
import { checkpointOf, gate, oneToN, started, startFake, temporaryFolder } from './harness.ts';

const temporaryName = `project.json.${process.pid}.tmp`;

async function shardWith(count: number) {
  const fake = await startFake();
  fake.shard('shard-1');
  fake.put('shard-1', ...oneToN(count).map((number) => streamRecord(number)));
  return fake;
}

describe('the checkpoint', () => {
  test('moves after each batch, never before', async () => {
    const seen: (string | undefined)[] = [];
    const mapping = started(await shardWith(5), () => void seen.push(checkpointOf(mapping.checkpoints)), {
      batchSize: 2,
    });
    await mapping.drained();
    expect(seen).toEqual([undefined, '2', '4']);
    expect(checkpointOf(mapping.checkpoints)).toBe('5');
  });

  test('is where the next start goes on', async () => {
    const fake = await shardWith(11);
    const first = started(fake, () => null);
    await first.drained();
    await first.stop();
    fake.put('shard-1', streamRecord('12'), streamRecord('13'));
    const second = started(fake, () => null, { checkpoints: first.checkpoints });
    await second.drained();
    expect(second.calls).toEqual([['12', '13']]);
  });

  test('is one file for each mapping, whatever its name', async () => {
    const fake = await shardWith(2);
    const checkpoints = join(temporaryFolder(), 'made', 'by the mapping');
    const one = started(fake, () => null, { checkpoints, name: 'project/1' });
    await one.drained();
    const two = started(fake, () => null, { checkpoints, name: 'notify' });
    await two.drained();
    expect(two.calls).toEqual([['1', '2']]);
    expect(readdirSync(checkpoints).sort()).toEqual(['notify.json', 'project%2F1.json']);
  });

  test('of another stream is not used, and that is said in one line', async () => {
    const fake = await shardWith(3);
    const first = started(fake, () => null);
    await first.drained();
    await first.stop();
    const created = streamArn.replace('2026-11-20', '2026-11-21');
    fake.recreate(created);
    const second = started(fake, () => null, { checkpoints: first.checkpoints, streamArn: created });
    await second.drained();
    expect(second.calls).toEqual([['1', '2', '3']]);
    expect(second.warnings).toHaveLength(1);
    expect(second.warnings[0]).toContain(`belongs to ${streamArn} and is not used`);
    expect(second.warnings[0]).not.toContain('\n');
  });

  const whole = JSON.stringify({ streamArn, shards: { 'shard-1': { after: '12' } } });
  test.each([
    ['is empty', ''],
    ['is cut off', whole.slice(0, -5)],
    ['holds something else', '{"shards":[]}'],
    ['holds a number that is none', whole.replace('"12"', '"twelve"')],
    ['holds null', 'null'],
  ])('that %s is an error that names the file and what to do', async (_what, content) => {
    const folder = temporaryFolder();
    const path = join(folder, 'project.json');
    writeFileSync(path, content);
    const fake = await shardWith(1);
    const options = { name: 'project', streamArn, region: 'eu-west-1', checkpoints: folder };
    const mapping = eventSourceMapping({
      ...options,
      streams: streamsClient(fake.port),
      invoke: async () => null,
    });
    expect(() => mapping.start()).toThrow(`[mapping project] the checkpoint file ${path} cannot be read`);
    expect(() => mapping.start()).toThrow('or delete it');
    expect(readFileSync(path, 'utf8')).toBe(content);
    expect(fake.requests).toEqual([]);
  });

  test('that was half written when the process died leaves the one before it in force', async () => {
    const fake = await shardWith(2);
    const first = started(fake, () => null, { batchSize: 1 });
    await first.drained();
    await first.stop();
    writeFileSync(join(first.checkpoints, temporaryName), '{"streamArn":"arn');
    fake.put('shard-1', streamRecord('3'));
    const second = started(fake, () => null, { checkpoints: first.checkpoints });
    await second.drained();
    expect(second.calls).toEqual([['3']]);
  });

  test('that cannot be written holds its shard back, without a second invocation', async () => {
    const fake = await shardWith(2);
    const checkpoints = temporaryFolder();
    const obstacle = join(checkpoints, temporaryName);
    mkdirSync(obstacle);
    const complained = gate();
    const warnings: string[] = [];
    const warn = (line: string) => {
      warnings.push(line);
      complained.open();
    };
    const mapping = started(fake, () => null, { checkpoints, batchSize: 1, warn });
    await complained.passed;
    expect(mapping.calls).toEqual([['1']]);
    rmdirSync(obstacle);
    await mapping.drained();
    expect(mapping.calls).toEqual([['1'], ['2']]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('saving the checkpoint failed, trying again');
  });
});

describe('stop', () => {
  test('waits for the invocation in flight and saves what it did', async () => {
    const fake = await shardWith(4);
    const working = gate();
    const finish = gate();
    const order: string[] = [];
    const mapping = started(
      fake,
      async () => {
        working.open();
        await finish.passed;
        order.push('function answered');
        return { batchItemFailures: [{ itemIdentifier: '2' }] };
      },
      { batchSize: 3 },
    );
    await working.passed;
    const stopped = mapping.stop().then(() => order.push('stopped'));
    finish.open();
    await stopped;
    expect(order).toEqual(['function answered', 'stopped']);
    expect(mapping.calls).toEqual([['1', '2', '3']]);
    expect(checkpointOf(mapping.checkpoints)).toBe('1');
  });

  test('leaves no timer, neither in the middle of a retry nor at rest', async () => {
    for (const count of [0, 1]) {
      const fake = await shardWith(count);
      let sleeping = 0;
      const clock: typeof systemClock = {
        now: systemClock.now,
        async sleep(milliseconds, signal) {
          sleeping++;
          await systemClock.sleep(milliseconds, signal);
          sleeping--;
        },
      };
      const options = { clock, retryDelay: () => 600_000, pollMilliseconds: 60_000 };
      const failed = gate();
      const mapping = started(fake, () => Promise.reject(new Error('no')), {
        ...options,
        onInvocation: failed.open,
      });
      await (count === 0 ? fake.seen('GetRecords') : failed.passed);
      await mapping.stop();
      expect(sleeping).toBe(0);
    }
  });

  test('during a request to the stream does not wait for the answer', async () => {
    const fake = await shardWith(1);
    const reading = gate();
    const never = new Promise<undefined>(() => {});
    fake.next('GetRecords', () => {
      reading.open();
      return never;
    });
    const mapping = started(fake, () => null);
    await reading.passed;
    await mapping.stop();
    expect(mapping.calls).toEqual([]);
    expect(mapping.warnings).toEqual([]);
  });

  test('may come twice, or before the start, and there is no start after it', async () => {
    const fake = await shardWith(1);
    const mapping = started(fake, () => null);
    expect(() => mapping.start()).toThrow('was started before');
    await mapping.stop();
    await mapping.stop();
    expect(() => mapping.start()).toThrow('was started before');
    const checkpoints = join(temporaryFolder(), 'unused');
    const options = { name: 'idle', streamArn, region: 'eu-west-1', checkpoints };
    const unstarted = eventSourceMapping({
      ...options,
      streams: streamsClient(fake.port),
      invoke: async () => null,
    });
    await unstarted.stop();
    expect(existsSync(checkpoints)).toBe(false);
  });
});
