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
};

export const reports = channel('sluice:batch');

/** Whoever listens gets it; where nobody does, as on Lambda, it is one line of the log. */
export function report(batch: BatchReport): void {
  if (reports.hasSubscribers) reports.publish(batch);
  else console.log(JSON.stringify({ message: 'batch', ...batch }));
}
