/** Buses for a scenario: on the stand-in, or on a mock of AWS whose rules deliver to queues of SQS. */
import {
  CreateEventBusCommand,
  DeleteEventBusCommand,
  DeleteRuleCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { expect } from 'vitest';
import { type BusEvent, startBus } from '../../src/local/servers/bus.ts';
import { account } from '../support/shop.ts';
import { openQueue } from './queue.ts';

export type Buses = Awaited<ReturnType<typeof openBuses>>;

type Target = { arn: string; taken(): Promise<BusEvent[]>; remove(): Promise<unknown> };

/** `endpoint`: of the mock. */
export async function openBuses(endpoint?: string) {
  const place = endpoint === undefined ? await inProcess() : onMock(endpoint);
  const client = new EventBridgeClient({ endpoint: place.url, ...account, maxAttempts: 1 });
  const run = `scenario-${Date.now()}`;
  const toRemove: (() => Promise<unknown>)[] = [];
  let count = 0;
  return {
    client,
    /** A new bus. */
    async newBus(): Promise<string> {
      const Name = `${run}-${++count}`;
      await client.send(new CreateEventBusCommand({ Name }));
      toRemove.unshift(() => client.send(new DeleteEventBusCommand({ Name })));
      return Name;
    },
    /** A rule on it; `received` waits for so many events, and a little longer for more. */
    async rule(EventBusName: string, pattern: object, State: 'ENABLED' | 'DISABLED' = 'ENABLED') {
      const on = { EventBusName, Rule: `rule-${++count}` };
      const target = await place.target(`${run}-${count}`);
      const EventPattern = JSON.stringify(pattern);
      await client.send(new PutRuleCommand({ EventBusName, Name: on.Rule, EventPattern, State }));
      await client.send(new PutTargetsCommand({ ...on, Targets: [{ Id: '1', Arn: target.arn }] }));
      toRemove.unshift(
        () => client.send(new RemoveTargetsCommand({ ...on, Ids: ['1'] })),
        () => client.send(new DeleteRuleCommand({ EventBusName, Name: on.Rule })),
        target.remove,
      );
      const events: BusEvent[] = [];
      return {
        name: on.Rule,
        arn: target.arn,
        async received(atLeast: number): Promise<BusEvent[]> {
          const take = async () => events.push(...(await target.taken()));
          await expect.poll(take, { timeout: 5_000, interval: 50 }).toBeGreaterThanOrEqual(atLeast);
          await new Promise((resolve) => setTimeout(resolve, 150));
          await take();
          return events.toSorted((one, other) => (one['detail-type'] < other['detail-type'] ? -1 : 1));
        },
      };
    },
    async stop() {
      if (endpoint !== undefined) for (const remove of toRemove) await remove().catch(() => {}); // a test may have done so
      client.destroy();
      await place.stop();
    },
  };
}

async function inProcess() {
  const targets: Record<string, (event: BusEvent) => void> = {};
  const bus = await startBus({ region: account.region, targets });
  return {
    ...bus,
    async target(name: string): Promise<Target> {
      const arn = `arn:aws:sqs:${account.region}:000000000000:${name}`;
      const events: BusEvent[] = [];
      targets[arn] = (event) => void events.push(event);
      return { arn, taken: async () => events.splice(0), remove: async () => {} };
    },
  };
}

function onMock(url: string) {
  return {
    url,
    stop: async () => {},
    async target(name: string): Promise<Target> {
      const queue = await openQueue(url, name);
      return { ...queue, taken: async () => (await queue.taken()).map((text) => JSON.parse(text)) };
    },
  };
}
