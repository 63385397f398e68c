/** What came of a batch: counted, never shown in full, since items may be personal. */
import { channel } from 'node:diagnostics_channel';
import type { Delivered } from './deliver.ts';

export type BatchReport = {
  reader: string;
  records: number;
  changes: number;
  unchanged: number;
  ignored: number;
  inexact: number;
  parked: number;
  sinks: Record<string, Delivered['counts']>;
  /** The first few reasons why deliveries failed. */
  failures: string[];
  /** One entry for each change: what it caused in each sink. */
  outcomes: Outcome[];
};

export type Outcome = {
  change: string;
  item: string;
  kind: 'insert' | 'modify' | 'remove';
  inexact: boolean;
  /** The request that caused it. */
  request: string | undefined;
  /** For each sink, how often each state was answered. */
  sinks: Record<string, Partial<Record<keyof Delivered['counts'], number>>>;
};

export const reports = channel('sluice:batch');

/** Whoever listens gets it; where nobody does, as on Lambda, it is one line of the log. */
export function report(batch: BatchReport): void {
  if (reports.hasSubscribers) reports.publish(batch);
  else {
    const { outcomes: _, ...counts } = batch;
    console.log(JSON.stringify({ message: 'batch', ...counts }));
  }
}
