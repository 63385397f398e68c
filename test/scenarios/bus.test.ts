/** What the bus sink, and whoever subscribes, build on: PutEvents, rules and their targets. */
import {
  CreateEventBusCommand,
  DeleteRuleCommand,
  DescribeEventBusCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  type PutEventsRequestEntry,
  PutRuleCommand,
  RemoveTargetsCommand,
  TestEventPatternCommand,
} from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Buses, openBuses } from './buses.ts';
import { type Sentence, scenario } from './scenario.ts';

const entry = (changes: PutEventsRequestEntry = {}): PutEventsRequestEntry => ({
  Source: 'shop',
  DetailType: 'OrderPlaced',
  Detail: '{"orderId":"o1","total":12.5,"tags":["new"]}',
  ...changes,
});

/** Each with a detail that it takes and one that it does not. */
const patterns: [name: string, pattern: object, yes: object, no: object][] = [
  ['a value', { detail: { status: ['paid'] } }, { status: 'paid' }, { status: 'open' }],
  ['one of several values', { detail: { status: ['paid', 'open'] } }, { status: 'open' }, { status: 'sent' }],
  ['a prefix', { detail: { id: [{ prefix: 'o-' }] } }, { id: 'o-1' }, { id: 'p-1' }],
  ['a suffix', { detail: { id: [{ suffix: '-1' }] } }, { id: 'o-1' }, { id: 'o-2' }],
  [
    'anything but',
    { detail: { status: [{ 'anything-but': 'open' }] } },
    { status: 'paid' },
    { status: 'open' },
  ],
  ['a range', { detail: { n: [{ numeric: ['>', 1, '<=', 2] }] } }, { n: 2 }, { n: 1 }],
  ['what is there', { detail: { id: [{ exists: true }] } }, { id: '1' }, { other: '1' }],
  ['what is not', { detail: { gone: [{ exists: false }] } }, { id: '1' }, { gone: 1 }],
  ['a member of an array', { detail: { tags: ['new'] } }, { tags: ['old', 'new'] }, { tags: ['old'] }],
  [
    'a field within',
    { detail: { meta: { late: [false] } } },
    { meta: { late: false } },
    { meta: { late: true } },
  ],
  ['a wildcard', { detail: { id: [{ wildcard: 'o*1' }] } }, { id: 'o-21' }, { id: 'o-2' }],
];

scenario('bus', ['stand-in', script()], { ministack: script, moto: script });

function script(endpoint?: string) {
  return (sentence: Sentence) => {
    let buses: Buses;
    beforeAll(async () => {
      buses = await openBuses(endpoint);
    });
    afterAll(() => buses.stop());

    async function opened() {
      const EventBusName = await buses.newBus();
      return {
        EventBusName,
        rule: (pattern: object, state?: 'DISABLED') => buses.rule(EventBusName, pattern, state),
        put: (...entries: PutEventsRequestEntry[]) =>
          buses.client.send(
            new PutEventsCommand({ Entries: entries.map((one) => ({ EventBusName, ...one })) }),
          ),
      };
    }
    const details = (events: { detail: unknown }[]) => events.map(({ detail }) => detail);

    sentence('an event comes whole to the target of a rule that it matches', async () => {
      const { put, rule } = await opened();
      const { received } = await rule({ source: ['shop'] });
      const { Entries, FailedEntryCount } = await put(
        entry({ Resources: ['arn:aws:x'] }),
        entry({ Source: 'other' }),
      );
      expect(FailedEntryCount).toBe(0);
      expect(await received(1)).toMatchObject([
        {
          version: '0',
          id: Entries?.[0]?.EventId,
          'detail-type': 'OrderPlaced',
          source: 'shop',
          region: 'eu-central-1',
          resources: ['arn:aws:x'],
          detail: { orderId: 'o1', total: 12.5, tags: ['new'] },
        },
      ]);
    });

    sentence('an event says whose account it comes from', async () => {
      const { put, rule } = await opened();
      const { received } = await rule({ source: ['shop'] });
      await put(entry());
      expect(await received(1)).toMatchObject([{ account: expect.stringMatching(/^\d{12}$/) }]);
    });

    sentence('an event bears the time that it was put with, in whole seconds', async () => {
      const { put, rule } = await opened();
      const { received } = await rule({ source: ['shop'] });
      await put(entry({ Time: new Date('2026-11-20T10:20:30.456Z') }));
      expect(await received(1)).toMatchObject([{ time: '2026-11-20T10:20:30Z' }]);
    });

    sentence('without a time of its own an event bears the time when it came', async () => {
      const { put, rule } = await opened();
      const { received } = await rule({ source: ['shop'] });
      await put(entry());
      const [{ time = '' } = {}] = await received(1);
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(Math.abs(Date.now() - Date.parse(time))).toBeLessThan(60_000);
    });

    sentence('a bad entry fails alone, in its own place', async () => {
      const { put, rule } = await opened();
      const { received } = await rule({ source: ['shop'] });
      const { DetailType: _, ...noType } = entry();
      const { Entries, FailedEntryCount } = await put(
        entry({ DetailType: 'A' }),
        noType,
        entry({ Source: '' }),
        entry({ Detail: '{"broken"' }),
        entry({ DetailType: 'B' }),
      );
      expect(FailedEntryCount).toBe(3);
      expect(Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
        undefined,
        'InvalidArgument',
        'InvalidArgument',
        'MalformedDetail',
        undefined,
      ]);
      expect(Entries?.map(({ EventId }) => EventId !== undefined)).toEqual([true, false, false, false, true]);
      expect((await received(2)).map((event) => event['detail-type'])).toEqual(['A', 'B']);
    });

    sentence('an entry that lacks one thing has its own result even when it is alone', async () => {
      const { put } = await opened();
      const { Entries, FailedEntryCount } = await put(entry({ Source: '' }));
      expect([FailedEntryCount, Entries?.[0]?.ErrorCode]).toEqual([1, 'InvalidArgument']);
    });

    sentence('an entry that lacks something says what', async () => {
      const { put } = await opened();
      const { Entries } = await put(entry(), entry({ DetailType: '' }));
      expect(Entries?.[1]?.ErrorMessage).toBe(
        'Parameter DetailType is not valid. Reason: DetailType is a required argument.',
      );
    });

    sentence('a detail that is no object is malformed', async () => {
      const { put } = await opened();
      const { Entries } = await put(entry({ Detail: '[1]' }), entry({ Detail: '"text"' }));
      expect(Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual(['MalformedDetail', 'MalformedDetail']);
    });

    const refusedWhole = { name: 'ValidationException' };

    sentence('a call without entries is refused', async () => {
      const { put } = await opened();
      await expect(put()).rejects.toMatchObject(refusedWhole);
    });

    sentence('a call with more than ten entries is refused', async () => {
      const { put } = await opened();
      await expect(put(...Array.from({ length: 11 }, () => entry()))).rejects.toMatchObject(refusedWhole);
      await put(...Array.from({ length: 10 }, () => entry()));
    });

    const ofBytes = (bytes: number) => {
      const { length } = '{"a":""}shopOrderPlaced';
      return entry({ Detail: JSON.stringify({ a: 'x'.repeat(bytes - length) }) });
    };

    sentence('a call of one byte less than 1 MB is taken', async () => {
      const { put } = await opened();
      expect((await put(ofBytes(1024 * 1024 - 1))).FailedEntryCount).toBe(0);
    });

    sentence('a call of 1 MB is refused', async () => {
      const { put } = await opened();
      await expect(put(ofBytes(1024 * 1024))).rejects.toMatchObject(refusedWhole);
    });

    sentence('of a bus that is not there one is told', async () => {
      const missing = { name: 'ResourceNotFoundException' };
      const describe = new DescribeEventBusCommand({ Name: 'nope' });
      await expect(buses.client.send(describe)).rejects.toMatchObject(missing);
      const rule = new PutRuleCommand({
        Name: 'r',
        EventBusName: 'nope',
        EventPattern: '{"source":["shop"]}',
      });
      await expect(buses.client.send(rule)).rejects.toMatchObject(missing);
    });

    sentence('a bus that is there is not made again', async () => {
      const { EventBusName: Name } = await opened();
      await expect(buses.client.send(new CreateEventBusCommand({ Name }))).rejects.toMatchObject({
        name: 'ResourceAlreadyExistsException',
      });
    });

    sentence('each bus has its own events', async () => {
      const [one, other] = [await opened(), await opened()];
      const [first, second] = [await one.rule({ source: ['shop'] }), await other.rule({ source: ['shop'] })];
      const from = (EventBusName: string, DetailType: string) => entry({ EventBusName, DetailType });
      await one.put(from(one.EventBusName, 'A'), from(other.EventBusName, 'B'), from(one.EventBusName, 'C'));
      const types = (events: { 'detail-type': string }[]) => events.map((event) => event['detail-type']);
      expect(types(await first.received(2))).toEqual(['A', 'C']);
      expect(types(await second.received(1))).toEqual(['B']);
    });

    sentence('a disabled rule delivers nothing until it is enabled again', async () => {
      const { EventBusName, put, rule } = await opened();
      const { name: Name, received } = await rule({ source: ['shop'] });
      await buses.client.send(new DisableRuleCommand({ EventBusName, Name }));
      await put(entry({ DetailType: 'A' }));
      await buses.client.send(new EnableRuleCommand({ EventBusName, Name }));
      await put(entry({ DetailType: 'B' }));
      expect((await received(1)).map((event) => event['detail-type'])).toEqual(['B']);
    });

    for (const [name, pattern, yes, no] of patterns)
      sentence(`a rule asks for ${name}`, async () => {
        const { put, rule } = await opened();
        const { received } = await rule(pattern);
        await put(entry({ Detail: JSON.stringify(no) }), entry({ Detail: JSON.stringify(yes) }));
        expect(details(await received(1))).toEqual([yes]);
      });

    sentence('what is no pattern is refused', async () => {
      const { EventBusName } = await opened();
      const put = (EventPattern: string) =>
        buses.client.send(new PutRuleCommand({ Name: 'r', EventBusName, EventPattern }));
      for (const pattern of ['{"a":[]}', '{"source":"shop"}', '{'])
        await expect(put(pattern), pattern).rejects.toMatchObject({ name: 'InvalidEventPatternException' });
    });

    sentence('a pattern can be tested against an event', async () => {
      const test = async (source: string) => {
        const event = {
          id: '1',
          account: '000000000000',
          source,
          time: '2026-11-20T10:20:30Z',
          region: 'eu-central-1',
          resources: [],
          'detail-type': 'OrderPlaced',
          detail: {},
        };
        const asked = { EventPattern: '{"source":["shop"]}', Event: JSON.stringify(event) };
        return (await buses.client.send(new TestEventPatternCommand(asked))).Result;
      };
      expect([await test('shop'), await test('other')]).toEqual([true, false]);
    });

    sentence('rules and targets are listed as they were put', async () => {
      const { EventBusName, rule } = await opened();
      const { name: Name, arn: Arn } = await rule({ source: ['shop'] });
      const EventPattern = '{"source":["store"]}';
      await buses.client.send(new PutRuleCommand({ EventBusName, Name, EventPattern }));
      const { Rules } = await buses.client.send(new ListRulesCommand({ EventBusName, NamePrefix: Name }));
      expect(Rules).toMatchObject([{ Name, EventBusName, EventPattern, State: 'ENABLED' }]);
      expect(Rules?.[0]?.Arn).toMatch(
        new RegExp(`^arn:aws:events:eu-central-1:\\d{12}:rule/${EventBusName}/${Name}$`),
      );
      const { Targets } = await buses.client.send(new ListTargetsByRuleCommand({ EventBusName, Rule: Name }));
      expect(Targets).toEqual([{ Id: '1', Arn }]);
    });

    sentence('a rule goes only without its targets', async () => {
      const { EventBusName, rule } = await opened();
      const { name: Name } = await rule({ source: ['shop'] });
      const remove = () => buses.client.send(new DeleteRuleCommand({ EventBusName, Name }));
      await expect(remove()).rejects.toThrow('since it has targets');
      await buses.client.send(new RemoveTargetsCommand({ EventBusName, Rule: Name, Ids: ['1'] }));
      await remove();
      expect((await buses.client.send(new ListRulesCommand({ EventBusName }))).Rules).toEqual([]);
    });

    sentence('a rule that is not there can be neither disabled nor given targets', async () => {
      const { EventBusName } = await opened();
      await expect(
        buses.client.send(new DisableRuleCommand({ EventBusName, Name: 'nope' })),
      ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    });
  };
}
