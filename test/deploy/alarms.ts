/** The alarms of a stack where everything is on, and what they watch. */
import { app } from '../../src/app.ts';
import { alarmResources } from '../../src/stack/alarms.ts';
import { sinksOf } from '../../src/stack/rights.ts';
import type { Settings } from '../../src/stack/settings.ts';
import type { Json } from './template.ts';

const on = { search: true, cache: true };
const names = (reader: 'project' | 'notify') => sinksOf(app, reader, on).map(({ name }) => name);
const resources = alarmResources({ project: names('project'), notify: names('notify') }, {
  name: 'sluice-dev',
  alarmEmail: '',
} as Settings);

export const alarms: Json[] = Object.values(resources as Json)
  .filter(({ Type }: Json) => Type === 'AWS::CloudWatch::Alarm')
  .map(({ Properties }: Json) => Properties);

export const metricsOf = (alarm: Json): Json[] =>
  alarm.Metrics === undefined
    ? [alarm]
    : alarm.Metrics.flatMap(({ MetricStat }: Json) => (MetricStat ? [MetricStat.Metric] : []));
