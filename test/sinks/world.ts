/**
 * The shop with everything around it: real clients, made by `connect`, against the local stand-ins, with a proxy
 * in front of each, where a test can make it misbehave.
 */
import {
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  paginateQuery,
} from '@aws-sdk/client-dynamodb';
import { CreateEventBusCommand } from '@aws-sdk/client-eventbridge';
import type { DynamoDBRecord, DynamoDBStreamEvent, KinesisStreamEvent } from 'aws-lambda';
import { afterAll, afterEach } from 'vitest';
import { app as shopApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { type Connections, connect, disconnect } from '../../src/connections.ts';
import { changesUnder, type ParkedChange } from '../../src/deliveries/changes.ts';
import { readHold } from '../../src/deliveries/holds.ts';
import { type Redriven, redriveDue } from '../../src/deliveries/redrive.ts';
import { type HoldRow, holdKey, unitOf } from '../../src/deliveries/rows.ts';
import { scan } from '../../src/local/proof/truth.ts';
import { startBus } from '../../src/local/servers/bus.ts';
import { startMail } from '../../src/local/servers/mail.ts';
import { startSearch } from '../../src/local/servers/search.ts';
import { type App, defineApp } from '../../src/pipeline/app.ts';
import { type BatchReport, reports } from '../../src/pipeline/report.ts';
import { openStream, type Reader, storeOf } from '../../src/pipeline/stream.ts';
import { memoryCache } from '../../src/sinks/cache/memory.ts';
import type { CachePort } from '../../src/sinks/cache/port.ts';
import { ensureIndices } from '../../src/sinks/search/indices.ts';
import { decodeImage, encodeItem } from '../../src/table/attributes.ts';
import type { Fields } from '../../src/table/entity.ts';
import { localShop } from '../support/shop.ts';
import { epoch, nameOf } from './items.ts';
import { json, proxy, type Seen, type ServiceProxy } from './proxy.ts';

/**
 * One per test file; it is closed after the file, and calmed after each test. `search`: a real server to use instead of
 * the stand-in, without a proxy before it.
 */
export async function openWorld(app: App = shopApp, { search: real }: { search?: string } = {}) {
  const clock = { milliseconds: epoch + 60_000 };
  const now = () => clock.milliseconds;
  const [shop, search, mail, bus] = await Promise.all([
    localShop(now),
    startSearch({ now }),
    startMail(),
    startBus({ region: 'eu-central-1' }),
  ]);
  const proxies = {
    dynamodb: await proxy(shop.endpoint),
    search: await proxy(search.url),
    mail: await proxy(mail.url),
    bus: await proxy(bus.url),
  };
  Object.assign(process.env, {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: proxies.dynamodb.url,
    AWS_ENDPOINT_URL_EVENTBRIDGE: proxies.bus.url,
    AWS_ENDPOINT_URL_SES: proxies.mail.url,
  });
  const cache: CachePort = memoryCache(now);
  const config = readConfig({
    SLUICE_SEARCH_ENDPOINT: real ?? proxies.search.url,
    SLUICE_LOG_LEVEL: 'error',
    SLUICE_SINCE: '1970-01-01T00:00:00Z',
  });
  const wait = async (milliseconds: number) => {
    clock.milliseconds += milliseconds;
  };
  const connections: Connections = { ...connect(config), cache, now, wait };
  const client = connections.search;
  if (client === undefined) throw new Error('There is an endpoint, so there is a client.');
  await ensureIndices(client, config.SLUICE_SEARCH_PREFIX, app.entities);
  await connections.eventbridge.send(new CreateEventBusCommand({ Name: config.SLUICE_BUS }));
  const calm = () => {
    for (const one of Object.values<ServiceProxy>(proxies)) one.calm();
  };
  calm();
  const batches: BatchReport[] = [];
  const listen = (batch: unknown) => batches.push(batch as BatchReport);
  reports.subscribe(listen); // without a listener each batch would be a line of the test's output
  afterEach(() => {
    calm();
    batches.length = 0;
  });
  afterAll(async () => {
    reports.unsubscribe(listen);
    await disconnect(connections);
    await Promise.all([...Object.values<ServiceProxy>(proxies).map((one) => one.down()), shop.stop()]);
    await Promise.all([search.stop(), mail.stop(), bus.stop()]);
  });
  type Changed = Partial<Pick<App, 'sinks' | 'entities'>>;
  const rowsOfUnit = (sink: string, item: string) =>
    rowsUnder(shop.dynamodb, config.SLUICE_DELIVERIES_TABLE, unitOf(sink, item));
  return {
    app,
    clock,
    config,
    connections,
    cache,
    client,
    proxies,
    mail,
    bus,
    store: storeOf(app, connections),
    dynamodb: shop.dynamodb,
    /** The reports of this test's batches, in order. */
    batches,
    take: (reader: Reader, event: DynamoDBStreamEvent | KinesisStreamEvent) =>
      openStream(app, reader, connections)(event),
    /** The same by an app that is another in part. */
    takeBy: (parts: Changed, reader: Reader, event: DynamoDBStreamEvent | KinesisStreamEvent) =>
      openStream(defineApp({ ...app, ...parts }), reader, connections)(event),
    /** Lets the first wait of all that was parked pass, and tries it again; by an app that may be another in part. */
    redrive(parts: Changed = {}): Promise<Redriven> {
      clock.milliseconds += firstWait;
      const { signal } = new AbortController();
      return redriveDue(defineApp({ ...app, ...parts }), connections, { signal });
    },
    /** From now on nothing can be parked: the deliveries table is read but not written. */
    refuseParking() {
      const { conduct } = proxies.dynamodb;
      const isParking = ({ operation, body }: Seen) =>
        operation !== 'BatchGetItem' && body.includes(`"${config.SLUICE_DELIVERIES_TABLE}"`);
      proxies.dynamodb.conduct = (seen) => (isParking(seen) ? noRights : conduct(seen));
    },
    /** The table has the item now. */
    put: (item: Fields) =>
      shop.dynamodb.send(new PutItemCommand({ TableName: config.SLUICE_TABLE, Item: encodeItem(item) })),
    /** The table has it no more: a plain delete. */
    delete({ pk, sk }: Fields) {
      const Key = encodeItem({ pk, sk });
      return shop.dynamodb.send(new DeleteItemCommand({ TableName: config.SLUICE_TABLE, Key }));
    },
    /** The rows of an item, in the order of their keys. */
    auditRows: (item: Fields | string) =>
      rowsUnder(shop.dynamodb, config.SLUICE_AUDIT_TABLE, typeof item === 'string' ? item : nameOf(item)),
    outboxRows: (item: string) => rowsUnder(shop.dynamodb, config.SLUICE_OUTBOX_TABLE, item),
    parkedRows: ({ eventID }: DynamoDBRecord) =>
      rowsUnder(shop.dynamodb, config.SLUICE_DELIVERIES_TABLE, `record/${eventID}`),
    /** What is parked of an item by change, whole and in order. */
    async parkedChanges(sink: string, item: string): Promise<ParkedChange[]> {
      const past = { ...connections, dynamodb: shop.dynamodb };
      return (await changesUnder(past, unitOf(sink, item))).changes;
    },
    /** What stands while an item waits; of some views also while it is refused. */
    async hold(sink: string, item: string): Promise<HoldRow | undefined> {
      const row = (await rowsOfUnit(sink, item)).find(({ sk }) => sk === holdKey);
      return row && readHold(row);
    },
    async allParkedRows(): Promise<Fields[]> {
      return (await scan(shop.dynamodb, config.SLUICE_DELIVERIES_TABLE)).map((image) => decodeImage(image));
    },
    /** What search holds under an item, marks and all but the item's name. */
    async document(index: string, id: string): Promise<{ version: number; source: Fields } | undefined> {
      const { body } = await client.mget({ index, body: { ids: [id] } });
      const [one] = body.docs as { found?: boolean; _version?: number; _source?: Fields }[];
      if (!one?.found) return undefined;
      const { sluiceItem: _, ...source } = one._source ?? {};
      return { version: one._version ?? 0, source };
    },
  };
}

async function rowsUnder(dynamodb: DynamoDBClient, TableName: string, pk: string): Promise<Fields[]> {
  const pages = paginateQuery(
    { client: dynamodb },
    {
      TableName,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: pk } },
    },
  );
  const rows: Fields[] = [];
  for await (const { Items = [] } of pages) rows.push(...Items.map((image) => decodeImage(image)));
  return rows;
}

/** Longer than anything waits for its second try, milliseconds. */
const firstWait = 6_000;

const noRights = json(400, { __type: 'AccessDeniedException', message: 'no' });

/** The answer that sends a batch back from a record on. */
export function from(record: DynamoDBRecord | undefined) {
  return { batchItemFailures: [{ itemIdentifier: record?.dynamodb?.SequenceNumber }] };
}

export const allTaken = { batchItemFailures: [] };

/** The figures of a sink that did nothing. */
export const nothing = {
  applied: 0,
  repeated: 0,
  superseded: 0,
  coalesced: 0,
  unchanged: 0,
  waiting: 0,
  refused: 0,
  early: 0,
  failed: 0,
};
