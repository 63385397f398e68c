import { fork } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, onTestFinished, test } from 'vitest';
import { createTable, dynoxide, hasDynoxide } from './dynoxide.ts';
import { checkpointOf, temporaryFolder } from './harness.ts';

const child = fileURLToPath(new URL('killed.ts', import.meta.url));
const items = 7;
const records = 400;
const batchSize = 5;

type Delivery = [sequenceNumber: number, pk: string, n: number];

async function filledTable() {
  const server = await dynoxide();
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

test.skipIf(!hasDynoxide)(
  'a mapping that is killed goes on at its checkpoint, and no record is lost',
  async () => {
    const { port, streamArn } = await filledTable();
    const checkpoints = temporaryFolder();
    const checkpoint = () => Number(checkpointOf(checkpoints, 'shardId-00000001-orders', 'killed') ?? 0);
    const all: Delivery[] = [];
    for (const killAfter of [13, 1, 27, 44, 3, Number.POSITIVE_INFINITY]) {
      const before = checkpoint();
      const { code, signal, deliveries } = await run(
        [port, streamArn, checkpoints, String(batchSize)],
        killAfter,
      );
      const ended = killAfter === Number.POSITIVE_INFINITY;
      expect({ code, signal }).toEqual(ended ? { code: 0, signal: null } : { code: null, signal: 'SIGKILL' });
      const numbers = deliveries.map(([sequenceNumber]) => sequenceNumber);
      expect(numbers).toEqual(numbers.map((_number, index) => before + 1 + index));
      expect(checkpoint()).toBeLessThanOrEqual(numbers.at(-1) ?? 0);
      expect(checkpoint() < records).toBe(!ended);
      all.push(...deliveries);
    }
    expect(new Set(all.map(([sequenceNumber]) => sequenceNumber)).size).toBe(records);
    for (let item = 0; item < items; item++) {
      const firsts = [...new Set(all.filter(([, pk]) => pk === `item-${item}`).map(([, , n]) => n))];
      expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
    }
  },
);
