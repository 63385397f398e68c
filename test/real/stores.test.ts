/** A day of the shop with one service real and the others as they are here: nothing is missing, stale or doubled. */

import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { Client } from '@opensearch-project/opensearch';
import { Redis } from 'iovalkey';
import { expect, test } from 'vitest';
import { sluice } from '../support/processes.ts';
import { withReal } from './given.ts';

const seconds = 60_000;

async function day(variable: string, endpoint: string) {
  const { ended, output } = sluice(process.execPath, ['bin/sluice.js', 'start', '--once', '--json'], {
    [variable]: endpoint,
  });
  const status = await ended;
  const last = output().trim().split('\n').at(-1) ?? '';
  return { status, output: output(), proof: status === 0 ? JSON.parse(last) : undefined };
}

const proven = { ok: true, items: 12, sinks: 5, findings: [] };

withReal('opensearch', (endpoint) => {
  test('a day in its indices is proven, and they are gone after it', { timeout: seconds }, async () => {
    const { proof, output } = await day('SLUICE_SEARCH_ENDPOINT', endpoint);
    expect(proof, output).toMatchObject(proven);
    const client = new Client({ node: endpoint });
    const { body } = await client.cat.indices({ format: 'json' });
    await client.close();
    expect(body.filter(({ index }) => index?.startsWith('sluice-'))).toEqual([]); // as a run calls its own
  });
});

withReal('dynamodb', (endpoint) => {
  test('a day in its tables is proven, and they are gone after it', { timeout: seconds }, async () => {
    const { proof, output } = await day('SLUICE_DYNAMODB_ENDPOINT', endpoint);
    expect(proof, output).toMatchObject(proven);
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const client = new DynamoDBClient({ endpoint, region: 'eu-central-1', credentials });
    expect((await client.send(new ListTablesCommand())).TableNames).toEqual([]);
  });
});

withReal('redis', (endpoint) => {
  test('a day in its keys is proven, and they are gone after it', { timeout: seconds }, async () => {
    const client = new Redis(endpoint);
    const before = await client.dbsize();
    const { proof, output } = await day('SLUICE_CACHE_ENDPOINT', endpoint);
    expect(proof, output).toMatchObject(proven);
    expect(await client.dbsize()).toBe(before);
    client.disconnect();
  });
});
