/** The alarms of docs/runbook.md, on what src/metrics.ts counts and on what Lambda and the queues say of themselves. */
import type { RedriveCounts } from '../deliveries/redrive.ts';
import type { SinkOutcome } from '../pipeline/reader.ts';
import type { Reader } from '../pipeline/stream.ts';
import type { Settings } from './settings.ts';

type Metric = {
  Namespace: string;
  MetricName: string;
  Dimensions: { Name: string; Value: unknown }[];
};

type Alarm = {
  /** Its line in the runbook. */
  line: string;
  /** Of several on one line, which. */
  of?: string;
  metrics: Metric[];
  above: number;
  statistic?: 'Sum' | 'Maximum';
  /** Of so many minutes it is above in so many; else `oneOfFive`. */
  minutes?: { above: number; of: number };
  /** Every run tells it: where it is not told, nothing runs. */
  always?: true;
};

// What a function counts comes late: the newest minute alone is often empty yet, and FILL would take that for a 0
// (CloudWatch user guide, Using math expressions with CloudWatch metrics: FILL).
const oneOfFive = { above: 1, of: 5 };

const mostMetrics = 10; // that one alarm may add up (CloudWatch user guide, Alarms on metric math expressions)

/** `sinks`: the names of those that are on, by reader. */
export function alarmResources(
  sinks: Record<Reader, readonly string[]>,
  settings: Settings,
): Record<string, unknown> {
  const alarms = alarmsOf(sinks, settings);
  return {
    Alarms: {
      Type: 'AWS::SNS::Topic',
      Properties: {
        TopicName: `${settings.name}-alarms`,
        ...(settings.alarmEmail !== '' && {
          Subscription: [{ Protocol: 'email', Endpoint: settings.alarmEmail }],
        }),
      },
    },
    ...Object.fromEntries(alarms.flatMap((alarm) => parts(alarm).map((part) => resource(part, settings)))),
  };
}

type State = keyof SinkOutcome['counts'] | keyof RedriveCounts | 'breakerOpen';

function alarmsOf(sinks: Record<Reader, readonly string[]>, { name }: Settings): Alarm[] {
  const counted = (functionName: string, MetricName: string): Metric => ({
    Namespace: `Sluice/${name}`,
    MetricName,
    Dimensions: [{ Name: 'function', Value: functionName }],
  });
  const states = (functionName: Reader | 'redrive', state: State) => {
    const names = functionName === 'redrive' ? [...sinks.project, ...sinks.notify] : sinks[functionName];
    return names.map((sink) => counted(functionName, `${sink}.${state}`));
  };
  const lambda = (functionName: string, MetricName: string): Metric => ({
    Namespace: 'AWS/Lambda',
    MetricName,
    Dimensions: [{ Name: 'FunctionName', Value: `${name}-${functionName}` }],
  });
  const waiting = (queue: string): Metric => ({
    Namespace: 'AWS/SQS',
    MetricName: 'ApproximateNumberOfMessagesVisible',
    Dimensions: [{ Name: 'QueueName', Value: `${name}-${queue}` }],
  });
  const each = <Name extends string>(
    names: readonly Name[],
    alarm: (of: Name) => Omit<Alarm, 'of'>,
  ): Alarm[] => names.map((of) => ({ ...alarm(of), of }));
  const readers = ['project', 'notify'] as const;
  return [
    {
      line: 'oldest parked',
      metrics: [counted('redrive', 'oldestParkedSeconds')],
      statistic: 'Maximum',
      above: 900,
      minutes: { above: 5, of: 5 },
      always: true,
    },
    {
      line: 'oldest mail',
      metrics: [counted('mail', 'oldestMailSeconds')],
      statistic: 'Maximum',
      above: 900,
      // A run that has much to send is long, and tells at its end.
      minutes: { above: 10, of: 10 },
      always: true,
    },
    // A lone error is the next minute's to mend, or its event is handed in again; a schedule that is dead has many.
    ...each(['redrive', 'mail', 'feedback'], (of) => ({
      line: 'function fails',
      metrics: [lambda(of, 'Errors')],
      above: 0,
      minutes: { above: 3, of: 5 },
    })),
    { line: 'dead', metrics: states('redrive', 'dead'), above: 0 },
    ...each([...readers, 'redrive'], (of) => ({ line: 'refused', metrics: states(of, 'refused'), above: 0 })),
    {
      line: 'another row lies there',
      metrics: ['project', 'redrive'].map((of) => counted(of, 'audit.refused')),
      above: 0,
    },
    { line: 'parked records', metrics: readers.map((of) => counted(of, 'parked')), above: 0 },
    ...each(readers, (of) => ({
      line: 'breaker open',
      metrics: states(of, 'breakerOpen'),
      above: 0,
      minutes: { above: 5, of: 7 },
    })),
    ...each(readers, (of) => ({
      line: 'neither delivered nor parked',
      metrics: states(of, 'failed'),
      above: 0,
    })),
    {
      line: 'mail refused',
      metrics: [
        counted('mail', 'mail.refused'),
        counted('mail', 'mail.tooOld'),
        counted('feedback', 'mail.takenBack'),
      ],
      above: 0,
    },
    { line: 'mail failed', metrics: [counted('mail', 'mail.failed')], above: 0 },
    { line: 'mail in doubt', metrics: [counted('mail', 'mail.inDoubt')], above: 0 },
    ...each(['project', 'notify', 'mail'], (of) => ({
      line: 'iterator age',
      metrics: [lambda(of, 'IteratorAge')],
      statistic: 'Maximum',
      above: 15 * 60_000,
    })),
    { line: 'failed batches', metrics: [counted('redrive', 'batches.left')], above: 0 },
    ...each(['project', 'notify', 'mail'], (of) => ({
      line: 'destination failures',
      metrics: [lambda(of, 'DestinationDeliveryFailures')],
      above: 0,
    })),
    ...each(['subscriber-dead-letters', 'feedback-dead-letters'], (of) => ({
      line: 'dead letters',
      metrics: [waiting(of)],
      statistic: 'Maximum',
      above: 0,
    })),
  ];
}

/** One that adds up too many is several. */
function parts(alarm: Alarm): Alarm[] {
  const count = Math.ceil(alarm.metrics.length / mostMetrics);
  if (count <= 1) return [alarm];
  return Array.from({ length: count }, (_, part) => ({
    ...alarm,
    of: `${alarm.of ?? ''} ${part + 1}`.trim(),
    metrics: alarm.metrics.slice(part * mostMetrics, (part + 1) * mostMetrics),
  }));
}

function resource(alarm: Alarm, settings: Settings): [string, unknown] {
  const { line, of, metrics, above, statistic = 'Sum', minutes = oneOfFive, always } = alarm;
  const name = of === undefined ? line : `${line} (${of})`;
  const Properties = {
    AlarmName: `${settings.name}: ${name}`,
    AlarmDescription: `What to do: docs/runbook.md, "${line}".`,
    AlarmActions: [{ Ref: 'Alarms' }],
    ComparisonOperator: 'GreaterThanThreshold',
    Threshold: above,
    EvaluationPeriods: minutes.of,
    DatapointsToAlarm: minutes.above,
    TreatMissingData: always ? 'breaching' : 'notBreaching', // else nothing is said of what is 0
    ...measured(metrics, statistic),
  };
  return [`${pascal(name)}Alarm`, { Type: 'AWS::CloudWatch::Alarm', Properties }];
}

function measured(metrics: Metric[], Stat: string) {
  const [first] = metrics;
  if (metrics.length === 1 && first !== undefined) return { ...first, Statistic: Stat, Period: 60 };
  const ids = metrics.map((_, index) => `m${index}`);
  return {
    Metrics: [
      { Id: 'all', Expression: `SUM([${ids.map((id) => `FILL(${id}, 0)`).join(', ')}])`, ReturnData: true },
      ...metrics.map((Metric, index) => ({
        Id: ids[index],
        MetricStat: { Metric, Period: 60, Stat },
        ReturnData: false,
      })),
    ],
  };
}

function pascal(text: string): string {
  const words = text.match(/[A-Za-z0-9]+/g) ?? [];
  return words.map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`).join('');
}
