/** The shop on a real DynamoDB of its own: tables, clients and a store, for one test file. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { app } from '../../src/app.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { ensureTables, type StreamArns } from '../../src/local/tables.ts';
import type { By, Store } from '../../src/table/store.ts';
import { openDynamoDB } from './dynamodb.ts';

export const account = {
  region: 'eu-central-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
};

export type LocalShop = {
  config: Config;
  endpoint: string;
  dynamodb: DynamoDBClient;
  store: Store;
  streams: StreamArns;
  stop(): Promise<void>;
};

/** Each call has tables of its own on a server of its own; `now` drives the write side's clock. */
export async function localShop(now: () => number = Date.now): Promise<LocalShop> {
  const server = await openDynamoDB();
  const dynamodb = new DynamoDBClient({ endpoint: server.url, ...account });
  const config = readConfig({});
  const streams = await ensureTables(dynamodb, config, app.table);
  return {
    config,
    endpoint: server.url,
    dynamodb,
    store: { dynamodb, table: app.table, tableName: config.SLUICE_TABLE, now },
    streams,
    async stop() {
      dynamodb.destroy();
      await server.stop();
    },
  };
}

let requests = 0;

/** Who asks, with a new request id unless one is given. */
export function by(actor = 'tester', request = `request-${++requests}`): By {
  return { actor, request };
}
