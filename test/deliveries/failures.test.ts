/** The on-failure destination: what a function failed until Lambda gave up is taken up again, late. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connections } from '../../src/connections.ts';
import { writeFailure } from '../../src/deliveries/failures.ts';
import { openRedrive } from '../../src/deliveries/handler.ts';
import { fresh, history, nameOf } from '../sinks/items.ts';
import type { Conduct } from '../sinks/proxy.ts';
import { startBuckets } from '../support/bucket.ts';
import { down, hour, openOrders, orderForms, recordsOf } from './orders.ts';

const world = await openOrders();
const { eventsOf, takeAll } = world;

const redriveFrom = (
  place: string,
  parts: Partial<Connections> = {},
  remaining = Number.POSITIVE_INFINITY,
) => {
  const config = { ...world.config, SLUICE_FAILURES: place };
  const redrive = openRedrive(world.app, { ...world.connections, ...parts, config });
  return redrive({}, { getRemainingTimeInMillis: () => remaining });
};

/** As Lambda writes it: the batch as an escaped text. */
const failed = (functionName: string, records: unknown[]) =>
  JSON.stringify({
    requestContext: {
      functionArn: `arn:aws:lambda:eu-central-1:000000000000:function:shop-${functionName}`,
      condition: 'RetryAttemptsExhausted',
    },
    DDBStreamBatchInfo: { batchSize: records.length },
    payload: JSON.stringify({ Records: records }),
  });

describe('a folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-failures-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const place = pathToFileURL(folder).href;
  const failure = (functionName: string, records: unknown[]) => ({
    functionName,
    records,
    shardId: 'shardId-1',
    startSequenceNumber: fresh('1'),
    endSequenceNumber: '9',
    condition: 'RetryAttemptsExhausted',
    count: 3,
  });

  test('acts of a failed batch go out marked as late, and the batch is gone', async () => {
    const forms = orderForms();
    await writeFailure(folder, failure('notify', recordsOf(forms)));
    expect(await redriveFrom(place)).toMatchObject({ batches: { taken: 1, left: 0 } });
    expect(eventsOf(forms[0])).toEqual(['OrderPlaced late', 'OrderPaid late', 'OrderShipped late']);
    expect(await world.auditRows(forms[0])).toEqual([]); // that is the other function's
    expect(readdirSync(folder)).toEqual([]);
  });

  test('views and trail of a failed batch arrive, and nothing is published again', async () => {
    const forms = orderForms();
    await writeFailure(folder, failure('project', recordsOf(forms)));
    await redriveFrom(place);
    expect(await world.auditRows(forms[0])).toHaveLength(3);
    expect(await world.document('orders', nameOf(forms[0]))).toBeDefined();
    expect(eventsOf(forms[0])).toEqual([]);
  });

  test('late acts that cannot go yet are parked, and still late when they go', async () => {
    const forms = orderForms();
    await writeFailure(folder, failure('notify', history(undefined, forms[0])));
    world.proxies.bus.conduct = down;
    await redriveFrom(place);
    world.proxies.bus.calm();
    world.clock.milliseconds += hour;
    await redriveFrom(place);
    expect(eventsOf(forms[0])).toEqual(['OrderPlaced late']);
  });

  test('what the sender failed is let go: its rows lie in the outbox, and the schedule sends them', async () => {
    await writeFailure(folder, failure('mail', history(undefined, orderForms()[0])));
    expect(await redriveFrom(place)).toMatchObject({ batches: { taken: 1, left: 0 } });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('what can be read by nobody stays, and stops nothing else', async () => {
    const forms = orderForms();
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, 'a', 'broken.json'), '{"payload":');
    writeFileSync(join(folder, 'a', 'metadata.json'), '{"DDBStreamBatchInfo":{}}');
    await writeFailure(folder, failure('notify', history(undefined, forms[0])));
    expect(await redriveFrom(place)).toMatchObject({ batches: { taken: 1, left: 2 } });
    expect(readdirSync(join(folder, 'a'))).toEqual(['broken.json', 'metadata.json']);
    expect(eventsOf(forms[0])).toHaveLength(1);
  });

  test('however many milliseconds are left of its time, it begins', async () => {
    await writeFailure(folder, failure('notify', history(undefined, orderForms()[0])));
    expect(await redriveFrom(place, {}, 29_998)).toMatchObject({ batches: { taken: 1 } });
    expect(await redriveFrom(place, {}, 1)).toMatchObject({ batches: { taken: 0 } });
  });

  test('what there was no time for is told as left', async () => {
    const before = await redriveFrom(place);
    await writeFailure(folder, failure('notify', history(undefined, orderForms()[0])));
    const left = before.batches.left + 1;
    const noTime = { deadline: () => AbortSignal.abort() };
    expect(await redriveFrom(place, noTime)).toMatchObject({ batches: { taken: 0, left } });
    expect(await redriveFrom(place)).toMatchObject({ batches: { taken: 1 } });
  });

  test('what is parked, and takes all the time that it gets, leaves some for failed batches', async () => {
    const [waiting, other] = [orderForms(), orderForms()];
    world.proxies.bus.conduct = down;
    await takeAll('notify', ...history(undefined, waiting[0]));
    world.clock.milliseconds += hour;
    await writeFailure(folder, failure('project', history(undefined, other[0])));
    const { promise: hangs, resolve: answer } = Promise.withResolvers<Conduct>();
    world.proxies.bus.conduct = () => hangs;
    const faster = (milliseconds: number) => AbortSignal.timeout(milliseconds / 20);
    expect(await redriveFrom(place, { deadline: faster })).toMatchObject({ items: 1, batches: { taken: 1 } });
    answer('closed');
    await world.recover();
    expect(eventsOf(waiting[0])).toEqual(['OrderPlaced']);
  });
});

describe('a bucket of S3', () => {
  let server: Awaited<ReturnType<typeof startBuckets>>;
  beforeAll(async () => {
    server = await startBuckets('failures');
    process.env.AWS_ENDPOINT_URL_S3 = server.url;
  });
  afterAll(() => server.stop());

  test('is read below its prefix, and what was taken up is removed', async () => {
    const forms = orderForms();
    const objects = server.objects('failures');
    objects.set('aws/lambda/mapping/shard/1.json', failed('notify', recordsOf(forms)));
    objects.set('other/2.json', 'not ours');
    expect(await redriveFrom('s3://failures/aws/')).toMatchObject({ batches: { taken: 1, left: 0 } });
    expect(eventsOf(forms[0])).toEqual(['OrderPlaced late', 'OrderPaid late', 'OrderShipped late']);
    expect([...objects.keys()]).toEqual(['other/2.json']);
  });
});
