/** Each line of the runbook is an alarm, each alarm has its line, and each metric is one that is really told. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScheduledEvent } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { app } from '../../src/app.ts';
import { openRedrive } from '../../src/deliveries/handler.ts';
import { scan } from '../../src/local/proof/truth.ts';
import { openFeedback } from '../../src/mail/feedback.ts';
import { openMail } from '../../src/mail/handler.ts';
import { rowTag } from '../../src/mail/ses.ts';
import { openMetrics } from '../../src/metrics.ts';
import { sinkNames } from '../../src/ops/names.ts';
import { openStream } from '../../src/pipeline/stream.ts';
import { alarmResources } from '../../src/stack/alarms.ts';
import { sinksOf } from '../../src/stack/rights.ts';
import type { Settings } from '../../src/stack/settings.ts';
import { decodeImage } from '../../src/table/attributes.ts';
import type { Fields } from '../../src/table/entity.ts';
import { fresh, history, orderAt, purchase } from '../sinks/items.ts';
import { openWorld } from '../sinks/world.ts';
import { root } from '../support/processes.ts';
import { eventOf, recordOf } from '../support/records.ts';
import type { Json } from './template.ts';

const on = { search: true, cache: true };
const names = (reader: 'project' | 'notify') => sinksOf(app, reader, on).map(({ name }) => name);
const resources = alarmResources({ project: names('project'), notify: names('notify') }, {
  name: 'sluice-dev',
  alarmEmail: '',
} as Settings);
const alarms = Object.values(resources as Json)
  .filter(({ Type }: Json) => Type === 'AWS::CloudWatch::Alarm')
  .map(({ Properties }: Json) => Properties);

const metricsOf = (alarm: Json): Json[] =>
  alarm.Metrics === undefined
    ? [alarm]
    : alarm.Metrics.flatMap(({ MetricStat }: Json) => (MetricStat ? [MetricStat.Metric] : []));

/** Name of the line, its metrics, and the number that they must be above. */
const lines = readFileSync(join(root, 'docs/runbook.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    const [, named = '', above, minutes] = /^(`.*`.*) above (\d+)( minutes)?/.exec(cells[2] ?? '') ?? [];
    const metrics = [...named.matchAll(/`([^`]+)`/g)].map(([, metric = '']) => metric);
    return metrics.length === 0
      ? []
      : [
          {
            name: cells[1] ?? '',
            metrics,
            above: Number(above) * (minutes ? 60_000 : 1),
            said: cells[2] ?? '',
          },
        ];
  });

/** As the runbook says it. What is told in every run alarms also where it is not told. */
function periodsOf(said: string) {
  const [, untold] = /for (\d+) minutes, or not told$/.exec(said) ?? [];
  const [, above = untold ?? 1, of = untold ?? 5] = /in (\d+) of (\d+) minutes$/.exec(said) ?? [];
  return {
    DatapointsToAlarm: Number(above),
    EvaluationPeriods: Number(of),
    TreatMissingData: untold === undefined ? 'notBreaching' : 'breaching',
  };
}

const alarmsOf = (line: string) =>
  alarms.filter(({ AlarmDescription }) => AlarmDescription.includes(`"${line}"`));

describe('the runbook', () => {
  test('has a line for each alarm', () => {
    expect(lines.length).toBeGreaterThan(8);
    for (const { AlarmName, AlarmDescription } of alarms) {
      const line = lines.find(({ name }) => AlarmDescription.includes(`"${name}"`));
      expect(line, AlarmName).toBeDefined();
      expect(AlarmName).toContain(line?.name);
    }
  });

  test.each(lines)('$name: $said', ({ name, metrics, above, said }) => {
    const found = alarmsOf(name);
    expect(found.length).toBeGreaterThan(0);
    const forms = metrics.map((metric) => metric.replaceAll('.', '\\.').replaceAll('*', '\\w+'));
    const pattern = new RegExp(`^(${forms.join('|')})$`);
    for (const alarm of found) {
      expect(alarm).toMatchObject({
        Threshold: above,
        ComparisonOperator: 'GreaterThanThreshold',
        AlarmActions: [{ Ref: 'Alarms' }],
        ...periodsOf(said),
      });
      for (const { MetricName } of metricsOf(alarm)) expect(MetricName).toMatch(pattern);
      expect(metricsOf(alarm).length).toBeLessThanOrEqual(10);
    }
  });
});

test('a redrive that no longer runs sounds an alarm by its silence', () => {
  const [silent, ...others] = alarms.filter(({ TreatMissingData }) => TreatMissingData === 'breaching');
  expect(silent).toMatchObject({ MetricName: 'oldestParkedSeconds', EvaluationPeriods: 5 });
  expect(others).toEqual([]);
});

test('what is added up is never judged by its newest minute alone, which is filled with 0 before it comes', () => {
  const filled = alarms.filter(({ Metrics }) => JSON.stringify(Metrics ?? '').includes('FILL('));
  expect(filled.length).toBeGreaterThan(0);
  for (const { EvaluationPeriods, DatapointsToAlarm } of filled)
    expect(EvaluationPeriods).toBeGreaterThan(DatapointsToAlarm);
});

test.each(['dead', 'refused', 'failed', 'breakerOpen'])('no sink is left out: *.%s', (state) => {
  const watched = alarms.flatMap(metricsOf).map(({ MetricName }) => MetricName);
  for (const sink of [...sinkNames(app), 'adoption']) expect(watched).toContain(`${sink}.${state}`);
});

test('every metric of an alarm is told under its namespace and dimension', async () => {
  const world = await openWorld();
  const told = new Set<string>();
  const write = (line: string) => {
    const { _aws, ...values } = JSON.parse(line);
    for (const { Namespace, Dimensions, Metrics } of _aws.CloudWatchMetrics)
      for (const { Name } of Metrics)
        told.add(JSON.stringify([Namespace, Dimensions[0].map((of: string) => [of, values[of]]), Name]));
  };
  const metrics = openMetrics({ namespace: 'Sluice/sluice-dev', now: world.connections.now, write });
  const connections = { ...world.connections, metrics };
  const handlers = {
    project: openStream(app, 'project', connections),
    notify: openStream(app, 'notify', connections),
    redrive: openRedrive(app, connections),
  };
  const down = () => ({ status: 503, body: '{}' });
  const change = (): Fields => orderAt(1, purchase(fresh('order')));
  const misfit = recordOf({ after: { pk: 'USER#x', sk: 'PROFILE', _type: 'Customer', version: 1 } });
  for (const reader of ['project', 'notify'] as const) await handlers[reader](eventOf(misfit));
  world.proxies.search.conduct = down;
  world.proxies.bus.conduct = down;
  for (let call = 0; call < 4; call++)
    for (const reader of ['project', 'notify'] as const)
      await handlers[reader](eventOf(...history(undefined, change())));
  world.refuseParking();
  for (const reader of ['project', 'notify'] as const)
    await handlers[reader](eventOf(...history(undefined, change())));
  world.proxies.dynamodb.calm();
  await handlers.redrive();
  await openMail(app, connections)({ 'detail-type': 'Scheduled Event' } as ScheduledEvent);
  const [image] = (await scan(world.dynamodb, world.config.SLUICE_OUTBOX_TABLE)).filter(({ tag }) => tag);
  const tags = { [rowTag]: [String(decodeImage(image ?? {}).tag)] };
  await openFeedback(connections)({ source: 'aws.ses', detail: { eventType: 'Reject', mail: { tags } } });
  const ours = alarms.flatMap(metricsOf).filter(({ Namespace }) => !Namespace.startsWith('AWS/'));
  const key = ({ Namespace, Dimensions, MetricName }: Json) =>
    JSON.stringify([Namespace, Dimensions.map(({ Name, Value }: Json) => [Name, Value]), MetricName]);
  const seen = ours.filter((metric) => told.has(key(metric))).map(({ MetricName }) => MetricName);
  // One of each form, told by the code itself: what differs between them is only the sink's name.
  for (const form of [
    /^parked$/,
    /^oldestParkedSeconds$/,
    /^search\.breakerOpen$/,
    /^bus\.breakerOpen$/,
    /\.failed$/,
    /^mail\.takenBack$/,
  ])
    expect(seen).toContainEqual(expect.stringMatching(form));
  const prefixes = new Set([...told].map((one) => JSON.parse(one).slice(0, 2).join()));
  for (const { Namespace, Dimensions } of ours)
    expect(prefixes).toContain(
      [Namespace, ...Dimensions.map(({ Name, Value }: Json) => [Name, Value])].join(),
    );
});
