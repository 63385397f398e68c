import {
  CreateEventBusCommand,
  DescribeEventBusCommand,
  DisableRuleCommand,
  EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { afterEach, expect, it, vi } from 'vitest';
import { type BusEvent, startBus } from '../../src/local/servers/bus.ts';

type Options = NonNullable<Parameters<typeof startBus>[0]>;

const toStop: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of toStop.splice(0)) await stop();
});

async function start(options: Options = {}) {
  const bus = await startBus({ region: 'eu-west-1', ...options });
  const client = new EventBridgeClient({
    endpoint: bus.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  toStop.push(() => client.destroy(), bus.stop);
  return {
    bus,
    client,
    put: (...Entries: PutEventsRequestEntry[]) => client.send(new PutEventsCommand({ Entries })),
  };
}

const entry = (changes: PutEventsRequestEntry = {}): PutEventsRequestEntry => ({
  Source: 'shop',
  DetailType: 'OrderPlaced',
  Detail: '{"orderId":"o1"}',
  ...changes,
});

const ARN = 'arn:aws:sqs:eu-west-1:000000000000:orders';

async function rule(client: EventBridgeClient, pattern: object, Arn = ARN) {
  await client.send(new PutRuleCommand({ Name: 'r', EventPattern: JSON.stringify(pattern) }));
  await client.send(new PutTargetsCommand({ Rule: 'r', Targets: [{ Id: '1', Arn }] }));
}

it('events are kept in the order in which they were accepted, for each bus and for all', async () => {
  const { bus, client, put } = await start({ now: () => Date.parse('2026-11-20T00:00:00Z') });
  const created = await client.send(new CreateEventBusCommand({ Name: 'second' }));
  await put(entry({ DetailType: 'A' }), entry({ DetailType: 'B', EventBusName: 'second' }));
  await put(entry({ DetailType: 'C', EventBusName: created.EventBusArn }));
  const types = (events: BusEvent[]) => events.map((event) => event['detail-type']);
  expect(types(bus.events())).toEqual(['A', 'B', 'C']);
  expect(types(bus.events('second'))).toEqual(['B', 'C']);
  expect(bus.events()[0]?.time).toBe('2026-11-20T00:00:00Z');
});

it('a call is refused whole that has nothing in any entry, or is too large by the bytes of a time', async () => {
  const { bus, put } = await start();
  const spare = '{"a":""}shopOrderPlaced'.length + 1;
  const Detail = `{"a":"${'x'.repeat(1024 * 1024 - spare)}"}`;
  await expect(put({}, { Resources: ['arn:x'] })).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(put(entry({ Detail, Time: new Date() }))).rejects.toThrow('over the limit');
  expect(bus.events()).toEqual([]);
  await put(entry({ Detail }));
  expect(bus.events()).toHaveLength(1);
});

it('a bus that does not exist takes nothing, not even beside one that does', async () => {
  const { bus, client, put } = await start();
  const missing = { name: 'ResourceNotFoundException', message: 'Event bus nope does not exist.' };
  await expect(put(entry(), entry({ EventBusName: 'nope' }))).rejects.toMatchObject(missing);
  await expect(client.send(new DescribeEventBusCommand({ Name: 'nope' }))).rejects.toMatchObject(missing);
  expect(() => bus.subscribe('nope', {}, () => undefined)).toThrow(missing.message);
  expect(bus.events()).toEqual([]);
});

it('a subscription receives what matches on its bus, until it ends', async () => {
  const { bus, client, put } = await start();
  await client.send(new CreateEventBusCommand({ Name: 'second' }));
  const received: string[] = [];
  const end = bus.subscribe('second', { 'detail-type': [{ prefix: 'Order' }] }, (event) => {
    received.push(event['detail-type']);
  });
  await put(
    entry(),
    entry({ EventBusName: 'second', DetailType: 'Other' }),
    entry({ EventBusName: 'second' }),
  );
  await vi.waitFor(() => expect(received).toEqual(['OrderPlaced']));
  end();
  await put(entry({ EventBusName: 'second' }));
  expect(received).toEqual(['OrderPlaced']);
});

it('a target that throws is tried again, and the call that put the event knows nothing of it', async () => {
  const target = vi.fn().mockRejectedValueOnce(new Error('busy')).mockRejectedValueOnce(new Error('busy'));
  const { client, put } = await start({ targets: { [ARN]: target } });
  await rule(client, { source: ['shop'] });
  expect((await put(entry())).FailedEntryCount).toBe(0);
  await vi.waitFor(() => expect(target).toHaveBeenCalledTimes(3));
});

it('an event that no try delivered is reported, as is one whose target is nowhere', async () => {
  const onDropped = vi.fn();
  const target = vi.fn().mockRejectedValue(new Error('down'));
  const { client, put } = await start({ targets: { [ARN]: target }, onDropped });
  await rule(client, { source: ['shop'] });
  await client.send(new PutTargetsCommand({ Rule: 'r', Targets: [{ Id: '2', Arn: 'arn:nowhere' }] }));
  await put(entry());
  await vi.waitFor(() => expect(onDropped).toHaveBeenCalledTimes(2), { timeout: 5_000 });
  expect(target).toHaveBeenCalledTimes(4);
  expect(onDropped.mock.calls.map(([{ target: arn }]) => arn).sort()).toEqual(['arn:nowhere', ARN].sort());
});

it('a stopped bus tries nothing again', async () => {
  const target = vi.fn().mockRejectedValue(new Error('down'));
  const onDropped = vi.fn();
  const { bus, client, put } = await start({ targets: { [ARN]: target }, onDropped });
  await rule(client, { source: ['shop'] });
  await put(entry());
  await bus.stop();
  const calls = target.mock.calls.length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(target).toHaveBeenCalledTimes(calls);
  expect(onDropped).not.toHaveBeenCalled();
});

it('what this bus cannot do is refused by name', async () => {
  const { client } = await start();
  await expect(
    client.send(new PutRuleCommand({ Name: 'r', EventPattern: '{"a":[]}' })),
  ).rejects.toMatchObject({
    name: 'InvalidEventPatternException',
  });
  await expect(
    client.send(new PutRuleCommand({ Name: 'r', ScheduleExpression: 'rate(1 day)' })),
  ).rejects.toThrow('ScheduleExpression is not supported');
  await rule(client, { source: ['shop'] });
  const shaped = new PutTargetsCommand({
    Rule: 'r',
    Targets: [{ Id: '1', Arn: ARN, InputPath: '$.detail' }],
  });
  await expect(client.send(shaped)).rejects.toThrow('InputPath is not supported');
  await expect(client.send(new CreateEventBusCommand({ Name: 'default' }))).rejects.toMatchObject({
    name: 'ResourceAlreadyExistsException',
  });
  await expect(client.send(new DisableRuleCommand({ Name: 'nope' }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: 'Rule nope does not exist on EventBus default.',
  });
});
