import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { onTestFinished } from 'vitest';
import { type Clock, systemClock } from '../../src/local/mapping/clock.ts';
import { eventSourceMapping } from '../../src/local/mapping/mapping.ts';
import type { MappingOptions } from '../../src/local/mapping/options.ts';
import { type FakeStreams, fakeStreams, streamArn, streamsClient } from './fakeStreams.ts';

export type Answer = (event: DynamoDBStreamEvent, call: number) => unknown;

export async function startFake(options: Parameters<typeof fakeStreams>[0] = {}): Promise<FakeStreams> {
  const fake = await fakeStreams(options);
  onTestFinished(() => fake.shut());
  return fake;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mapping-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A started mapping onto the fake that keeps what it invoked and said, and is stopped after the test. */
export function started(fake: { port: number }, answer: Answer, options: Partial<MappingOptions> = {}) {
  const calls: string[][] = [];
  const warnings: string[] = [];
  const checkpoints = options.checkpoints ?? temporaryFolder();
  const streams = options.streams ?? streamsClient(fake.port);
  const mapping = eventSourceMapping({
    name: 'project',
    streamArn,
    region: 'eu-west-1',
    pollMilliseconds: 1,
    retryDelay: () => 1,
    warn: (line) => warnings.push(line),
    invoke: async (event) => {
      calls.push(numbersOf(event));
      return answer(event, calls.length);
    },
    ...options,
    streams,
    checkpoints,
  });
  mapping.start();
  onTestFinished(async () => {
    await mapping.stop();
    if (!options.streams) streams.destroy();
  });
  return { ...mapping, calls, warnings, checkpoints };
}

export function numbersOf(event: DynamoDBStreamEvent): string[] {
  return event.Records.map((record) => record.dynamodb?.SequenceNumber ?? 'none');
}

/** Of the shard that is named, or of the first that there is. */
export function checkpointOf(folder: string, shardId?: string, name = 'project'): string | undefined {
  try {
    const { shards } = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
    return shards[shardId ?? Object.keys(shards)[0] ?? '']?.after;
  } catch {
    return undefined;
  }
}

/** Time that runs this many times faster than the world's, for all that waits by it. */
export function fastClock(factor: number): Clock & { slept: number[] } {
  const slept: number[] = [];
  return {
    slept,
    now: () => performance.now() * factor,
    async sleep(milliseconds, signal) {
      slept.push(milliseconds);
      await setTimeout(milliseconds / factor, undefined, { signal }).catch(() => {});
    },
  };
}

/** Time that stands still until it is moved; only sleeping takes as long as it takes. */
export function stoppedClock() {
  let at = 0;
  return {
    now: () => at,
    sleep: systemClock.sleep,
    advance: (milliseconds: number) => {
      at += milliseconds;
    },
  };
}

export function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: () => resolve() };
}

export const oneToN = (n: number) => Array.from({ length: n }, (_, index) => String(index + 1));
