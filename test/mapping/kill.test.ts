import { fork } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, onTestFinished, test } from 'vitest';
import { createTable, openEngine } from './engine.ts';
import { checkpointOf, temporaryFolder } from './harness.ts';

const child = fileURLToPath(new URL('killed.ts', import.meta.url));
const items = 7;
const records = 400;
const batchSize = 5;

type Delivery = [sequenceNumber: number, pk: string, n: number];

async function filledTable() {
  const server = await openEngine();
  onTestFinished(() => server.stop());
  const streamArn = await createTable(server.client, 'orders');
  for (let n = 1; n <= records; n++) {
    const Item = { pk: { S: `item-${n % items}` }, n: { N: String(n) } };
    await server.client.send(new PutItemCommand({ TableName: 'orders', Item }));
  }
  return { port: String(server.port), streamArn };
}

/** Runs the mapping in a process until it has delivered so many records, then kill -9; or until it ends. */
async function run(args: string[], killAfter: number) {
  const deliveries = join(temporaryFolder(), 'deliveries');
  const mapping = fork(child, [...args, deliveries], { execArgv: [] });
  onTestFinished(() => void mapping.kill('SIGKILL'));
  let delivered = 0;
  mapping.on('message', () => {
    delivered++;
    if (delivered === killAfter) mapping.kill('SIGKILL');
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    mapping.once('exit', (...how) => resolve(how)),
  );
  const lines = readFileSync(deliveries, 'utf8').trim().split('\n');
  rmSync(deliveries);
  return { code, signal, deliveries: lines.map((line): Delivery => JSON.parse(line)) };
}

test('a mapping that is killed goes on at its checkpoint, and no record is lost', async () => {
  const { port, streamArn } = await filledTable();
  const checkpoints = temporaryFolder();
  const checkpoint = () => Number(checkpointOf(checkpoints, undefined, 'killed') ?? 0);
  const all: Delivery[] = [];
  const runs: { before: number; numbers: number[]; after: number; ended: boolean }[] = [];
  for (const killAfter of [13, 1, 27, 44, 3, Number.POSITIVE_INFINITY]) {
    const before = checkpoint();
    const { code, signal, deliveries } = await run(
      [port, streamArn, checkpoints, String(batchSize)],
      killAfter,
    );
    const ended = killAfter === Number.POSITIVE_INFINITY;
    expect({ code, signal }).toEqual(ended ? { code: 0, signal: null } : { code: null, signal: 'SIGKILL' });
    const numbers = deliveries.map(([sequenceNumber]) => sequenceNumber);
    runs.push({ before, numbers, after: checkpoint(), ended });
    all.push(...deliveries);
  }
  const order = [...new Set(all.map(([sequenceNumber]) => sequenceNumber))].sort((a, b) => a - b);
  expect(order).toHaveLength(records);
  for (const { before, numbers, after, ended } of runs) {
    const first = order.filter((number) => number <= before).length;
    expect(numbers).toEqual(order.slice(first, first + numbers.length));
    expect(after).toBeLessThanOrEqual(numbers.at(-1) ?? 0);
    expect(after < (order.at(-1) ?? 0)).toBe(!ended);
  }
  for (let item = 0; item < items; item++) {
    const firsts = [...new Set(all.filter(([, pk]) => pk === `item-${item}`).map(([, , n]) => n))];
    expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
  }
});
