import {
  CreateEventBusCommand,
  DeleteRuleCommand,
  DescribeEventBusCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  type PutEventsRequestEntry,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  TestEventPatternCommand,
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

it('an event put is delivered whole to the target of a rule that matches', async () => {
  const received: BusEvent[] = [];
  const { client, put } = await start({ targets: { [ARN]: (event) => void received.push(event) } });
  await rule(client, { source: ['shop'] });
  const Time = new Date('2026-11-20T10:20:30.456Z');
  const { Entries, FailedEntryCount } = await put(
    entry({ Time, Resources: ['arn:x'] }),
    entry({ Source: 'other' }),
  );
  expect(FailedEntryCount).toBe(0);
  await vi.waitFor(() => expect(received).toHaveLength(1));
  expect(received[0]).toEqual({
    version: '0',
    id: Entries?.[0]?.EventId,
    'detail-type': 'OrderPlaced',
    source: 'shop',
    account: '000000000000',
    time: '2026-11-20T10:20:30Z',
    region: 'eu-west-1',
    resources: ['arn:x'],
    detail: { orderId: 'o1' },
  });
});

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

it('a bad entry fails alone, in its own place', async () => {
  const { bus, put } = await start();
  const { DetailType: _, ...noType } = entry();
  const { Entries, FailedEntryCount } = await put(
    entry(),
    noType,
    entry({ Detail: '[1]' }),
    entry({ Detail: '"text"' }),
    entry({ Detail: '{"broken"' }),
    entry({ Source: '' }),
    entry(),
  );
  expect(FailedEntryCount).toBe(5);
  expect(Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
    undefined,
    'InvalidArgument',
    'MalformedDetail',
    'MalformedDetail',
    'MalformedDetail',
    'InvalidArgument',
    undefined,
  ]);
  expect(Entries?.[1]?.ErrorMessage).toBe(
    'Parameter DetailType is not valid. Reason: DetailType is a required argument.',
  );
  expect(bus.events().map(({ id }) => id)).toEqual([Entries?.[0]?.EventId, Entries?.[6]?.EventId]);
});

it('an entry that lacks one thing has its own result even when it is alone', async () => {
  const { put } = await start();
  const { Entries, FailedEntryCount } = await put(entry({ Source: '' }));
  expect([FailedEntryCount, Entries?.[0]?.ErrorCode]).toEqual([1, 'InvalidArgument']);
});

it('a call is refused whole that has no entries, too many, too large ones, or nothing in any', async () => {
  const { bus, put } = await start();
  const large = 'x'.repeat(
    1024 * 1024 - Buffer.byteLength('{"a":""}') - Buffer.byteLength('shopOrderPlaced'),
  );
  await expect(put()).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(put(...Array.from({ length: 11 }, () => entry()))).rejects.toMatchObject({
    name: 'ValidationException',
  });
  await expect(put(entry({ Detail: `{"a":"${large}"}` }))).rejects.toMatchObject({
    name: 'ValidationException',
    message: 'Total size of the entries in the request is over the limit.',
  });
  await expect(put({}, { Resources: ['arn:x'] })).rejects.toMatchObject({ name: 'ValidationException' });
  expect(bus.events()).toEqual([]);
  await put(entry({ Detail: `{"a":"${large.slice(1)}"}` }));
  await expect(put(entry({ Detail: `{"a":"${large.slice(1)}"}`, Time: new Date() }))).rejects.toThrow(
    'over the limit',
  );
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

it('a disabled rule delivers nothing until it is enabled again', async () => {
  const received: string[] = [];
  const { client, put } = await start({
    targets: { [ARN]: (event) => void received.push(event['detail-type']) },
  });
  await rule(client, { source: ['shop'] });
  await client.send(new DisableRuleCommand({ Name: 'r' }));
  await put(entry({ DetailType: 'Missed' }));
  await client.send(new EnableRuleCommand({ Name: 'r' }));
  await put(entry({ DetailType: 'Seen' }));
  await vi.waitFor(() => expect(received).toEqual(['Seen']));
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

it('rules and targets are listed as they were put, and a rule goes only without its targets', async () => {
  const { client } = await start();
  await client.send(new CreateEventBusCommand({ Name: 'second' }));
  const onBus = { EventBusName: 'second' };
  const { RuleArn } = await client.send(
    new PutRuleCommand({ ...onBus, Name: 'r', EventPattern: '{"source":["shop"]}' }),
  );
  expect(RuleArn).toBe('arn:aws:events:eu-west-1:000000000000:rule/second/r');
  const Targets = [{ Id: '1', Arn: ARN }];
  await client.send(new PutTargetsCommand({ ...onBus, Rule: 'r', Targets }));
  await client.send(new PutRuleCommand({ ...onBus, Name: 'r', EventPattern: '{"source":["store"]}' }));
  const listed = await client.send(new ListRulesCommand({ ...onBus, NamePrefix: 'r' }));
  expect(listed.Rules).toEqual([
    {
      Name: 'r',
      Arn: RuleArn,
      EventBusName: 'second',
      EventPattern: '{"source":["store"]}',
      State: 'ENABLED',
    },
  ]);
  expect((await client.send(new ListTargetsByRuleCommand({ ...onBus, Rule: 'r' }))).Targets).toEqual(Targets);
  await expect(client.send(new DeleteRuleCommand({ ...onBus, Name: 'r' }))).rejects.toThrow(
    'since it has targets',
  );
  await client.send(new RemoveTargetsCommand({ ...onBus, Rule: 'r', Ids: ['1'] }));
  await client.send(new DeleteRuleCommand({ ...onBus, Name: 'r' }));
  expect((await client.send(new ListRulesCommand(onBus))).Rules).toEqual([]);
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

it('a pattern can be tested against an event', async () => {
  const { client } = await start();
  const test = (pattern: string, event: object) =>
    client.send(new TestEventPatternCommand({ EventPattern: pattern, Event: JSON.stringify(event) }));
  expect((await test('{"source":["shop"]}', { source: 'shop' })).Result).toBe(true);
  expect((await test('{"source":["shop"]}', { source: 'other' })).Result).toBe(false);
  await expect(test('{"source":"shop"}', {})).rejects.toMatchObject({ name: 'InvalidEventPatternException' });
});
