import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { startDynamoDB } from '../../src/local/servers/dynamodb.ts';

const servers = fileURLToPath(new URL('../../src/local/servers/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sluice-dynamodb-'));

const toStop: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  while (toStop.length > 0) await toStop.pop()?.();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(options: Parameters<typeof startDynamoDB>[0] = {}) {
  const server = await startDynamoDB(options);
  toStop.push(server.stop);
  return server;
}

const settings = (endpoint: string) => ({
  endpoint,
  region: 'eu-west-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  maxAttempts: 1,
});

function clientOf(url: string): DynamoDBClient {
  const client = new DynamoDBClient(settings(url));
  toStop.push(() => client.destroy());
  return client;
}

const table = new CreateTableCommand({
  TableName: 'orders',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
});
const put = new PutItemCommand({ TableName: 'orders', Item: { pk: { S: 'a' } } });

/** The processes that have to do with a server: dynoxide and the sh that watches it, both name its port. */
function processesOf(url: string): { pid: number; command: string }[] {
  const { port } = new URL(url);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), command: commandOf(name) }))
    .filter(({ command }) => command.includes('dynoxide') && command.includes(`--port ${port}`));
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

const dynoxideOf = (url: string): number =>
  processesOf(url).find(({ command }) => !command.startsWith('/bin/sh'))?.pid ?? Number.NaN;

it('a table is written and its stream read with the clients of AWS', async () => {
  const { url } = await start();
  const client = clientOf(url);
  const StreamArn = (await client.send(table)).TableDescription?.LatestStreamArn;
  await client.send(put);
  const streams = new DynamoDBStreamsClient(settings(url));
  toStop.push(() => streams.destroy());
  const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
  const ShardId = StreamDescription?.Shards?.[0]?.ShardId;
  const { ShardIterator } = await streams.send(
    new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
  );
  const { Records } = await streams.send(new GetRecordsCommand({ ShardIterator }));
  expect(Records?.map(({ eventName, dynamodb }) => [eventName, dynamodb?.NewImage])).toEqual([
    ['INSERT', { pk: { S: 'a' } }],
  ]);
});

it('tables in memory are gone with the server, those in a file are there again', async () => {
  const file = join(folder, 'tables.sqlite');
  const first = await start({ file });
  await clientOf(first.url).send(table);
  await clientOf(first.url).send(put);
  await first.stop();
  const again = await start({ file });
  const read = new GetItemCommand({ TableName: 'orders', Key: { pk: { S: 'a' } } });
  expect((await clientOf(again.url).send(read)).Item).toEqual({ pk: { S: 'a' } });
  const { url } = await start();
  expect((await clientOf(url).send(new ListTablesCommand())).TableNames).toEqual([]);
});

it('a port that is taken is left alone, and another one found', async () => {
  const taken = createServer((_, response) => response.end('another server'));
  await once(taken.listen(0, '127.0.0.1'), 'listening');
  toStop.push(() => taken.closeAllConnections());
  toStop.push(() => void taken.close());
  const { port } = taken.address() as { port: number };
  const { url } = await start({ port });
  expect(url).not.toBe(`http://127.0.0.1:${port}`);
  expect((await clientOf(url).send(new ListTablesCommand())).TableNames).toEqual([]);
});

it('a port that is free is used', async () => {
  const first = await start();
  await first.stop();
  expect((await start({ port: Number(new URL(first.url).port) })).url).toBe(first.url);
});

it('stop leaves no process, even with a client connected', async () => {
  const onExit = vi.fn();
  const { url, stop } = await start({ onExit });
  await clientOf(url).send(new ListTablesCommand());
  expect(processesOf(url).length).toBeGreaterThanOrEqual(2);
  await stop();
  expect(processesOf(url)).toEqual([]);
  await setImmediate();
  expect(onExit).not.toHaveBeenCalled();
});

it('a server that will not end is ended', async () => {
  const { url, stop } = await start();
  process.kill(dynoxideOf(url), 'SIGSTOP');
  await stop();
  expect(processesOf(url)).toEqual([]);
});

it('a server that dies is reported, with its status', async () => {
  const onExit = vi.fn<(error: Error) => void>();
  const { url } = await start({ onExit });
  process.kill(dynoxideOf(url), 'SIGKILL');
  await vi.waitFor(() => expect(onExit).toHaveBeenCalledOnce());
  expect(onExit.mock.calls[0]?.[0].message).toMatch(
    /^\[dynamodb\] dynoxide ended with status 137: .*listening on/s,
  );
  await vi.waitFor(() => expect(processesOf(url)).toEqual([]));
});

it('a server whose watchdog dies is reported, and does not outlive it', async () => {
  const onExit = vi.fn();
  const { url } = await start({ onExit });
  const watchdogs = processesOf(url).filter(({ command }) => command.startsWith('/bin/sh'));
  process.kill(Math.min(...watchdogs.map(({ pid }) => pid)), 'SIGKILL');
  await vi.waitFor(() => expect(onExit).toHaveBeenCalledOnce());
  await vi.waitFor(() => expect(processesOf(url)).toEqual([]));
});

async function startInChild(): Promise<{ child: ChildProcess; url: string }> {
  const script = `
    import { startDynamoDB } from ${JSON.stringify(`${servers}dynamodb.ts`)};
    console.log((await startDynamoDB()).url);
    setInterval(() => undefined, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  toStop.push(() => void child.kill('SIGKILL'));
  const [url] = await once(createInterface(child.stdout), 'line');
  return { child, url };
}

it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('nothing outlives us when %s ends us', async (signal) => {
  const { child, url } = await startInChild();
  expect(processesOf(url).length).toBeGreaterThanOrEqual(2);
  child.kill(signal);
  await vi.waitFor(() => expect(processesOf(url)).toEqual([]), { timeout: 5_000 });
});

it('where the binary is not installed, one line says what to start instead', () => {
  const elsewhere = join(folder, 'elsewhere');
  for (const part of ['dynamodb.ts', 'dynamodb'])
    cpSync(join(servers, part), join(elsewhere, part), { recursive: true });
  const script = `
    import { startDynamoDB } from ${JSON.stringify(join(elsewhere, 'dynamodb.ts'))};
    await startDynamoDB().catch((error) => console.log(error.message));
  `;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  expect(stdout.trim().split('\n')).toEqual([
    `[dynamodb] the embedded DynamoDB (@dynoxide/linux-x64) is not installed here (${process.platform}-${process.arch}): start DynamoDB Local or another DynamoDB endpoint and name it in SLUICE_DYNAMODB_ENDPOINT`,
  ]);
});
