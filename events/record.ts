/**
 * `node events/record.ts`: makes all recordings again, by `sluice record` on a DynamoDB of their own, and derives what
 * no local stream produces. Only times, versions and event ids differ from those before.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { app } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { startDynamoDB } from '../src/local/servers/dynamodb.ts';
import { localRegion } from '../src/local/services.ts';
import { ensureTables } from '../src/local/tables.ts';
import type { Store } from '../src/table/store.ts';
import { writeDerived } from './derive.ts';
import { type Scene, scenes } from './scenes.ts';

const root = join(import.meta.dirname, '..');

async function makeRecordings(): Promise<void> {
  const server = await startDynamoDB();
  const dynamodb = new DynamoDBClient({
    endpoint: server.url,
    region: localRegion,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  try {
    const config = readConfig({});
    await ensureTables(dynamodb, config, app.table);
    const store: Store = { dynamodb, table: app.table, tableName: config.SLUICE_TABLE, now: Date.now };
    for (const scene of scenes) await recordScene(scene, store, server.url);
  } finally {
    dynamodb.destroy();
    await server.stop();
  }
}

async function recordScene(scene: Scene, store: Store, endpoint: string): Promise<void> {
  await scene.before?.(store);
  const args = [
    'record',
    '--name',
    scene.name,
    '--endpoint',
    endpoint,
    '--table',
    store.tableName,
    '--force',
  ];
  const recorder = spawn(process.execPath, ['src/cli.ts', ...args], {
    cwd: root,
    env: { ...process.env, AWS_REGION: localRegion },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const ended = once(recorder, 'exit');
  recorder.stdout?.pipe(process.stdout, { end: false });
  await begun(recorder, scene.name);
  await scene.play(store);
  recorder.kill('SIGTERM');
  const [status] = await ended;
  if (status !== 0) throw new Error(`The recording of ${scene.name} ended with status ${status}.`);
}

/** What is written before the recorder says so is not in the recording. */
async function begun(recorder: ChildProcess, name: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  recorder.stdout?.on('data', (said) => String(said).includes('Recording') && resolve());
  recorder.once('exit', () => reject(new Error(`The recording of ${name} did not begin.`)));
  await promise;
}

await makeRecordings();
writeDerived();
