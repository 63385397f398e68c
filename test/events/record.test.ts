/** `sluice record` as a process of its own, on a real stream. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { shop } from '../../src/shop/commands.ts';
import { onDemand } from '../../src/shop/play/day.ts';
import { sluice, until } from '../support/processes.ts';
import { copyOfProject } from '../support/project.ts';
import { by, type LocalShop, localShop } from '../support/shop.ts';
import { recordingSchema } from './recordingSchema.ts';

const scratch = mkdtempSync(join(tmpdir(), 'sluice-record-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let local: LocalShop;
beforeAll(async () => {
  local = await localShop();
});
afterAll(() => local.stop());

let folder: string;
let number = 0;
beforeEach(() => {
  folder = join(scratch, `recorded-${++number}`);
});

const command = ['src/cli.ts', 'record', '--name'];

function recorder(name: string, ...more: string[]) {
  const args = [...command, name, '--folder', folder, '--endpoint', local.endpoint, ...more];
  return sluice(process.execPath, args);
}

type Recorder = ReturnType<typeof sluice>;

async function begun({ output }: Pick<Recorder, 'output'>) {
  expect(await until(() => output().includes('Recording '), 20), output()).toBe(true);
}

async function stopped({ child, ended }: Recorder, signal: 'SIGINT' | 'SIGTERM' = 'SIGINT') {
  child.kill(signal);
  return ended;
}

function recorded(name: string): DynamoDBRecord[] {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')).Records;
}

const customer = (userId: string) => ({
  userId,
  name: `Name of ${userId}`,
  email: `${userId}@somewhere.org`,
  marketing: false,
});
const register = (userId: string) => shop(local.store).registerCustomer(customer(userId), by(userId));
const put = (pk: string) =>
  local.dynamodb.send(
    new PutItemCommand({ TableName: local.config.SLUICE_TABLE, Item: { pk: { S: pk }, sk: { S: 'x' } } }),
  );
const keysOf = (records: DynamoDBRecord[]) => records.map(({ dynamodb }) => dynamodb?.Keys?.pk?.S);

test('what is written while it runs is saved as Lambda sends it, from the first moment to the last', async () => {
  await register('before');
  const run = recorder('signed-up');
  await begun(run);
  await register('directly-after');
  await put('SESSION#1');
  expect(await stopped(run)).toBe(0);
  const text = readFileSync(join(folder, 'signed-up.json'), 'utf8');
  expect(keysOf(recorded('signed-up'))).toEqual(['USER#directly-after', 'SESSION#1']);
  recordingSchema.parse(JSON.parse(text));
  expect(text).toBe(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
  expect(recorded('signed-up')[0]).toMatchObject({
    eventName: 'INSERT',
    awsRegion: 'eu-central-1',
    eventSourceARN: expect.stringMatching(
      /^arn:aws:dynamodb:eu-central-1:000000000000:table\/sluice-shop\/stream\/20\d\d-/,
    ),
  });
  expect(run.output()).toContain(
    `${join(folder, 'signed-up.json')}: 2 records (1 Customer insert, 1 of no known entity)`,
  );
  expect(run.output()).not.toContain('two readers');
});

test('--from-start begins with the oldest record, and --count ends it at exactly so many', async () => {
  const other = await localShop();
  for (const userId of ['ada', 'bob', 'cleo'])
    await shop(other.store).registerCustomer(customer(userId), by(userId));
  const args = [...command, 'first-two', '--folder', folder, '--endpoint', other.endpoint];
  const { ended, output } = sluice(process.execPath, [...args, '--from-start', '--count', '2']);
  expect(await ended).toBe(0);
  expect(keysOf(recorded('first-two'))).toEqual(['USER#ada', 'USER#bob']);
  expect(output()).toContain('2 records (2 Customer insert)');
  await other.stop();
});

test('--count waits until so many came', async () => {
  const run = recorder('three', '--count', '3');
  await begun(run);
  for (const pk of ['SESSION#2', 'SESSION#3', 'SESSION#4']) await put(pk);
  expect(await run.ended).toBe(0);
  expect(recorded('three')).toHaveLength(3);
});

test('--anonymise leaves nothing personal, and leaves out what cannot be decoded', async () => {
  const run = recorder('anonymous', '--anonymise');
  await begun(run);
  await register('dora');
  await onDemand.poison(local.store, 1);
  await put('SESSION#dora@somewhere.org');
  expect(await stopped(run, 'SIGTERM')).toBe(0);
  const text = readFileSync(join(folder, 'anonymous.json'), 'utf8');
  expect(text).not.toMatch(/somewhere\.org|Name of dora/);
  expect(keysOf(recorded('anonymous'))).toEqual(['USER#dora']);
  recordingSchema.parse(JSON.parse(text));
  expect(run.output()).toContain('2 records left out');
});

test('a recording that is there is refused before anything is recorded; --force writes over it', async () => {
  mkdirSync(folder);
  writeFileSync(join(folder, 'kept.json'), 'as it was');
  const refused = recorder('kept');
  expect(await refused.ended).toBe(1);
  expect(refused.output()).toContain('kept.json. Choose another --name, or write over it with --force.');
  expect(refused.output()).not.toContain('Recording ');
  expect(readFileSync(join(folder, 'kept.json'), 'utf8')).toBe('as it was');
  const forced = recorder('kept', '--force');
  await begun(forced);
  await put('SESSION#5');
  expect(await stopped(forced)).toBe(0);
  expect(keysOf(recorded('kept'))).toEqual(['SESSION#5']);
});

test.each(['../up', 'a/b', '.hidden', '', 'with space', 'order-placed.json'])(
  'the name "%s" is refused',
  async (name) => {
    const { ended, output } = recorder(name);
    expect(await ended).toBe(1);
    expect(output()).toContain('is a plain file name without ".json"');
    expect(existsSync(folder)).toBe(false);
  },
);

test('where nothing was recorded nothing is written, and the status says so', async () => {
  const run = recorder('nothing');
  await begun(run);
  expect(await stopped(run)).toBe(1);
  expect(run.output()).toContain('Nothing was recorded');
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  [['--table', 'another-table'], 'There is no table another-table at http'],
  [['--endpoint', 'localhost:8000'], '--endpoint is an http or https URL'],
  [['--endpoint', 'http://127.0.0.1:1'], 'does not say what the table sluice-shop is: '],
  [['--endpoint', 'https://dynamodb.eu-west-1.amazonaws.com'], 'Leave it out and say --aws.'],
  [['--aws'], "'--endpoint <url>'"],
  [['--count', 'many'], 'It is a whole number from 1.'],
])('%j is one clear line', async (more, line) => {
  const { ended, output } = recorder('mistaken', ...more);
  expect(await ended).toBe(1);
  expect(output()).toContain(line);
  expect(output().trim().split('\n')).toHaveLength(1);
});

test('off this machine it warns that it is one more reader', async () => {
  // The same server, by an address that does not look like this machine.
  const endpoint = local.endpoint.replace('127.0.0.1', '[::ffff:127.0.0.1]');
  const args = [...command, 'elsewhere', '--folder', folder, '--endpoint', endpoint];
  const account = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'own', AWS_SECRET_ACCESS_KEY: 'own' };
  const run = sluice(process.execPath, args, account);
  await begun(run);
  await put('SESSION#6');
  expect(await stopped(run)).toBe(0);
  expect(run.output()).toMatch(
    /A stream serves two readers without throttling; this is one more\.\nRecording /,
  );
  expect(recorded('elsewhere')[0]).toMatchObject({ awsRegion: 'eu-west-1' });
});

test('--aws takes account and region of the environment, warns, and keeps the ARN of the stream', async () => {
  const account = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'own', AWS_SECRET_ACCESS_KEY: 'own' };
  const aws = {
    AWS_ENDPOINT_URL_DYNAMODB: local.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB_STREAMS: local.endpoint,
  };
  const args = [...command, 'account', '--folder', folder, '--aws'];
  const run = sluice(process.execPath, args, { ...account, ...aws });
  await begun(run);
  await put('SESSION#7');
  await local.dynamodb.send(
    new DeleteItemCommand({
      TableName: local.config.SLUICE_TABLE,
      Key: { pk: { S: 'SESSION#7' }, sk: { S: 'x' } },
    }),
  );
  expect(await stopped(run)).toBe(0);
  expect(run.output()).toContain('A stream serves two readers');
  expect(run.output()).toContain('Recording sluice-shop at AWS, eu-west-1.');
  expect(recorded('account').map(({ eventName }) => eventName)).toEqual(['INSERT', 'REMOVE']);
  expect(recorded('account')[0]?.eventSourceARN).toBe(local.streams.table);
});

test('without a server it records the local run that is going, and where none is, says what to do', async () => {
  const copy = copyOfProject(join(scratch, 'project'));
  const args = [...command, 'of-the-run', '--folder', folder];
  const none = sluice(process.execPath, args, {}, copy);
  expect(await none.ended).toBe(1);
  expect(none.output()).toContain(
    'no local run is going. Start one with "npm start", or name a server with --endpoint <url>, or take the AWS account of your environment with --aws.',
  );
  expect(none.output().trim().split('\n')).toHaveLength(1);

  const environment = {
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL_DYNAMODB: local.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB_STREAMS: local.endpoint,
    SLUICE_TABLE: local.config.SLUICE_TABLE,
  };
  mkdirSync(join(copy, '.sluice'));
  writeFileSync(join(copy, '.sluice/running.json'), JSON.stringify({ pid: process.pid, environment }));
  const run = sluice(process.execPath, args, { SLUICE_TABLE: 'not-that-of-the-run' }, copy);
  await begun(run);
  await put('SESSION#8');
  expect(await stopped(run)).toBe(0);
  expect(keysOf(recorded('of-the-run'))).toEqual(['SESSION#8']);
});
