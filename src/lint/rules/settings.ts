/** One setting of a mapping each: where it starts, how long it tries, how long it waits. */
import { resourceOf } from '../arn.ts';
import type { Mapping, Model } from '../model.ts';
import { items, member, numberIn, textOf, wordIn } from '../node.ts';
import { found, type Outcome, setting, unjudged } from '../outcome.ts';

const day = 86_400;

export function startingPosition(model: Model): Outcome[] {
  return model.mappings.flatMap((mapping): Outcome[] => {
    const rule = 'starting-position';
    const { startingPosition: node = mapping.at } = mapping.settings;
    const position = wordIn(mapping.settings.startingPosition);
    if (!position.known) return [unjudged(rule, position.node)];
    const write = setting(model, mapping, 'startingPosition', 'TRIM_HORIZON');
    if (position.value?.toUpperCase() === 'LATEST')
      return [
        found(rule, node, {
          severity: 'loses',
          happens: 'What is written while Lambda begins to read is never delivered.',
          when: 'whenever the mapping is created or changed, for up to some minutes each time',
          write,
        }),
      ];
    const refused = mapping.form === 'cloudformation' && position.value === undefined;
    if (!refused && !(position.value === 'AT_TIMESTAMP' && mapping.source === 'dynamodb')) return [];
    const happens = refused
      ? 'The mapping is refused: a stream needs a starting position.'
      : 'The mapping is refused: a table’s stream cannot be read from a time.';
    return [found(rule, node, { severity: 'hurts', happens, when: 'when it is deployed', write })];
  });
}

export function endlessRetries(model: Model): Outcome[] {
  return model.mappings.flatMap((mapping): Outcome[] => {
    const rule = 'endless-retries';
    const { retries: node = mapping.at, recordAge } = mapping.settings;
    const retries = numberIn(mapping.settings.retries);
    if (!retries.known) return [unjudged(rule, retries.node)];
    if (retries.value !== undefined && retries.value >= 0) return [];
    const age = numberIn(recordAge);
    const bounded = age.known && age.value !== undefined && age.value > 0 && age.value < day;
    return [
      found(rule, node, {
        severity: 'hurts',
        happens: 'One record that always fails stops its shard: nothing behind it is delivered.',
        when: `from that record on, ${bounded ? `until it is ${span(age.value ?? 0)} old` : 'until the stream drops it, for 24 h or more'}`,
        write: setting(model, mapping, 'retries', 10),
      }),
    ];
  });
}

export function recordAge(model: Model): Outcome[] {
  return model.mappings.flatMap((mapping): Outcome[] => {
    const rule = 'record-age';
    const { recordAge: node = mapping.at } = mapping.settings;
    const age = numberIn(mapping.settings.recordAge);
    if (!age.known) return [unjudged(rule, age.node)];
    const kept = keptSeconds(model, mapping);
    const seconds = Math.max(0, age.value ?? 0);
    if (seconds > 0 && seconds < (kept ?? day)) return [];
    if (seconds > 0 && kept === undefined)
      return [unjudged(rule, node, 'how long the stream keeps its records is not in this file')];
    const keeps = kept === undefined ? 'its retention' : span(kept);
    return [
      found(rule, node, {
        severity: 'loses',
        happens: `The stream drops a record after ${keeps} while Lambda still holds on to it; no destination is promised to get it.`,
        when: `when the function fails, or is throttled, for ${keeps}; throttling counts as no attempt`,
        write: setting(model, mapping, 'recordAge', 21_600),
      }),
    ];
  });
}

/** How long a stream keeps its records: 24 h for a table's, as declared for Kinesis. */
function keptSeconds(model: Model, { source, settings }: Mapping): number | undefined {
  if (source === 'dynamodb') return day;
  const stream = resourceOf(textOf(settings.stream), model.resources);
  if (stream?.type !== 'AWS::Kinesis::Stream') return undefined;
  const hours = numberIn(member(stream.properties, 'RetentionPeriodHours'));
  return hours.known ? (hours.value ?? 24) * 3600 : undefined;
}

const longestWindow = 5;

export function batchWindow(model: Model): Outcome[] {
  return model.mappings.flatMap((mapping): Outcome[] => {
    const rule = 'batch-window';
    const { batchWindow: node = mapping.at } = mapping.settings;
    const window = numberIn(mapping.settings.batchWindow);
    if (!window.known) return [unjudged(rule, window.node)];
    if (window.value === undefined || window.value <= longestWindow) return [];
    return [
      found(rule, node, {
        severity: 'hurts',
        happens: `A change waits up to ${span(window.value)} before the function sees it.`,
        when: 'whenever fewer changes come than fill a batch: at quiet times, always',
        write: setting(model, mapping, 'batchWindow', 1),
      }),
    ];
  });
}

export function partialFailures(model: Model): Outcome[] {
  return model.mappings.flatMap((mapping): Outcome[] => {
    const rule = 'no-partial-failures';
    const { responseTypes: node = mapping.at } = mapping.settings;
    const types = items(mapping.settings.responseTypes).map(wordIn);
    if (types.some((type) => type.known && type.value === 'ReportBatchItemFailures')) return [];
    const unknown = types.find((type) => !type.known);
    if (unknown?.known === false) return [unjudged(rule, unknown.node)];
    const value = mapping.form === 'serverless' ? 'ReportBatchItemFailures' : ['ReportBatchItemFailures'];
    return [
      found(rule, node, {
        severity: 'loses',
        happens:
          'A list of failed records that the handler returns is ignored: they count as delivered. An error repeats the whole batch.',
        when: 'at every record that fails',
        write: setting(model, mapping, 'responseTypes', value),
      }),
    ];
  });
}

export function span(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 3 * day ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / day)} days`;
}
