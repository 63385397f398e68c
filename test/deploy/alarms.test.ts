/** Each line of the runbook is an alarm, and each alarm has its line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { app } from '../../src/app.ts';
import { sinkNames } from '../../src/ops/names.ts';
import { root } from '../support/processes.ts';
import { alarms, metricsOf } from './alarms.ts';

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

test.each(['oldestParkedSeconds', 'oldestMailSeconds'])(
  'a schedule that no longer runs sounds by silence: %s',
  (name) => {
    const silent = alarms.filter(({ TreatMissingData }) => TreatMissingData === 'breaching');
    expect(silent).toContainEqual(expect.objectContaining({ MetricName: name }));
    expect(silent).toHaveLength(2); // what is told only sometimes would sound all the time
  },
);

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
