/** What came of a batch, in figures and change by change. */
import type { Change } from '../table/change.ts';
import type { Decoded } from '../table/record.ts';
import type { SinkOutcome } from './reader.ts';
import type { BatchReport, DeliveryFailure, Outcome } from './report.ts';
import type { Sink } from './sink.ts';

/** What a batch's changes caused, sink by sink; for whoever watches. */
function outcomesOf(
  decoded: readonly Decoded[],
  sinks: readonly Sink[],
  delivered: readonly SinkOutcome[],
): Outcome[] {
  const changes = decoded.flatMap((entry) => (entry.verdict === 'change' ? [entry.change] : []));
  const outcomes = new Map(
    changes.map((change): [Change, Outcome] => {
      const { id, item, kind, inexact, request } = change;
      return [change, { change: id, item, kind, inexact: inexact !== undefined, request, sinks: {} }];
    }),
  );
  for (const [index, { answers }] of delivered.entries()) {
    for (const { change, state } of answers) {
      const states = outcomes.get(change)?.sinks;
      const name = sinks[index]?.name;
      if (states === undefined || name === undefined) continue;
      states[name] = { ...states[name], [state]: (states[name]?.[state] ?? 0) + 1 };
    }
  }
  return [...outcomes.values()];
}

export function summaryOf(
  reader: string,
  decoded: readonly Decoded[],
  sinks: readonly Sink[],
  delivered: readonly SinkOutcome[],
): BatchReport {
  const count = (verdict: Decoded['verdict']) => decoded.filter((entry) => entry.verdict === verdict).length;
  return {
    reader,
    records: decoded.length,
    changes: count('change'),
    unchanged: count('unchanged'),
    ignored: count('ignored'),
    inexact: decoded.filter((entry) => entry.verdict === 'change' && entry.change.inexact !== undefined)
      .length,
    parked: count('parked'),
    sinks: Object.fromEntries(
      sinks.flatMap(({ name }, index) => {
        const counts = delivered[index]?.counts;
        return counts === undefined ? [] : [[name, counts]];
      }),
    ),
    outcomes: outcomesOf(decoded, sinks, delivered),
    failures: delivered.flatMap(({ failures }, index) =>
      failures.slice(0, 3).map(({ change, reason }) => failureOf(sinks[index], change, reason)),
    ),
  };
}

function failureOf(sink: Sink | undefined, { id, request }: Change, reason: string): DeliveryFailure {
  return { sink: sink?.name ?? '', change: id, correlationId: request, reason };
}
