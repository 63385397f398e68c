import { expect, test } from 'vitest';
import { app, routes } from '../../src/app.ts';
import { start } from '../../src/local/start.ts';
import { mailHandler } from '../../src/mail/handler.ts';
import type { App } from '../../src/pipeline/app.ts';
import type { SinkName } from '../../src/pipeline/sink.ts';
import { streamHandler } from '../../src/pipeline/stream.ts';
import { day, onDemand } from '../../src/shop/play/day.ts';
import { warehouse } from '../../src/shop/play/subscriber.ts';
import { readsOf } from '../../src/shop/reads.ts';
import { type Fault, faultyApp } from '../support/faults.ts';

type Outcome = { status: number; proof: Record<string, unknown> & { findings: string[] } };

async function prove(tried: App): Promise<Outcome> {
  const said: string[] = [];
  const handlers = {
    project: streamHandler(tried, 'project'),
    notify: streamHandler(tried, 'notify'),
    mail: mailHandler(tried),
  };
  const parts = { app, handlers, routes, day, onDemand, subscriber: warehouse, readsOf };
  const options = {
    port: 0,
    once: true,
    signal: new AbortController().signal,
    json: true,
    environment: process.env,
    say: (line: string) => void said.push(line),
  };
  const status = await start(parts, options);
  return { status, proof: JSON.parse(said.at(-1) ?? '{}') };
}

test('a day without a fault is proved, twice, and the poison record is parked', async () => {
  const { status, proof } = await prove(app);
  expect(status).toBe(0);
  expect(proof).toMatchObject({
    ok: true,
    items: 12,
    sinks: 5,
    missing: 0,
    stale: 0,
    doubled: 0,
    parked: 1,
    findings: [],
  });
  expect(proof.repeats).toBeGreaterThan(100);
});

const faults: [SinkName, Fault, 'missing' | 'stale' | 'doubled', RegExp][] = [
  ['search', 'dropped', 'stale', /search has Order.* at version/],
  ['search', 'delayed', 'stale', /search has Order.* at version/],
  ['cache', 'dropped', 'stale', /cache holds an older order:/],
  ['cache', 'delayed', 'stale', /cache holds an older order:/],
  ['audit', 'dropped', 'missing', /audit trail lacks Order/],
  ['audit', 'delayed', 'missing', /audit trail lacks Order/],
  ['audit', 'doubled', 'doubled', /audit trail has Order.* 2 times/],
  ['email', 'dropped', 'missing', /no mail orderShipped/],
  ['email', 'delayed', 'missing', /no mail orderShipped/],
  ['email', 'doubled', 'doubled', /a mail that no change caused/],
  ['bus', 'dropped', 'missing', /the bus lacks Order.*OrderShipped/],
  ['bus', 'delayed', 'missing', /the bus lacks Order.*OrderShipped/],
  ['bus', 'doubled', 'doubled', /the bus has Order.*OrderShipped 2 times/],
];

test.each(faults)(
  'one write of %s %s is found as %s, and the exit status is 1',
  async (sink, fault, kind, finding) => {
    const { status, proof } = await prove(faultyApp(app, sink, fault));
    expect(status).toBe(1);
    expect(proof.ok).toBe(false);
    expect(proof[kind]).toBeGreaterThan(0);
    expect(proof.findings.join('\n')).toMatch(finding);
  },
);
