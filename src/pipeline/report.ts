/** What came of a batch: counted, never shown in full, since items may be personal. */
import { channel } from 'node:diagnostics_channel';
import type { Log } from '../log.ts';
import { flattened, type Metrics } from '../metrics.ts';
import type { DeliveryOutcome, SinkOutcome } from './reader.ts';

export type BatchReport = {
  reader: string;
  records: number;
  changes: number;
  unchanged: number;
  ignored: number;
  inexact: number;
  parked: number;
  sinks: Record<string, SinkOutcome['counts']>;
  /** The first few reasons why deliveries failed. */
  failures: DeliveryFailure[];
  /** One entry for each change: what it caused in each sink. */
  outcomes: Outcome[];
};

export type DeliveryFailure = {
  sink: string;
  change: string;
  correlationId: string | undefined;
  reason: string;
};

export type Outcome = {
  change: string;
  item: string;
  kind: 'insert' | 'modify' | 'remove';
  inexact: boolean;
  /** The request that caused it. */
  request: string | undefined;
  /** For each sink, how often each state was answered. */
  sinks: Record<string, Partial<Record<DeliveryOutcome, number>>>;
};

export const reports = channel('sluice:batch');

/** Whoever listens gets it; where nobody does, as on Lambda, it goes to the log: one line for the batch. */
export function report(log: Log, batch: BatchReport): void {
  if (reports.hasSubscribers) reports.publish(batch);
  else write(log, batch);
}

/** `open`: sinks whose breaker is open. */
export function countBatch(metrics: Metrics, batch: BatchReport, open: readonly { name: string }[]): void {
  const { records, changes, unchanged, ignored, inexact, parked, sinks } = batch;
  const breakers = Object.fromEntries(open.map(({ name }) => [`${name}.breakerOpen`, 1]));
  const counts = { records, changes, unchanged, ignored, inexact, parked, ...breakers };
  metrics(batch.reader, { ...counts, ...flattened(sinks) });
}

function write(log: Log, { outcomes, failures, ...counts }: BatchReport): void {
  for (const failure of failures) log.warn('a delivery failed', failure);
  for (const { change, request, kind, sinks } of outcomes)
    log.debug('a change', { change, correlationId: request, kind, sinks });
  log.info('batch', counts);
}
