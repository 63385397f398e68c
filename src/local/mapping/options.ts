import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { Context, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { Outcome } from './answer.ts';
import { type Clock, systemClock } from './clock.ts';

export type LambdaContext = Context;

/** What the on-failure destination gets; from S3 it comes with the records, so here it does too. */
export type Exhausted = {
  condition: 'RetryAttemptsExhausted';
  approximateInvokeCount: number;
  shardId: string;
  startSequenceNumber: string;
  endSequenceNumber: string;
  records: DynamoDBRecord[];
};

type Invocation = { event: DynamoDBStreamEvent; outcome: Outcome };

type Needed = {
  /** Names the checkpoint file and stands in every line said. */
  name: string;
  streamArn: string;
  /** Put into every record: a local server's own is not a real one. */
  region: string;
  streams: DynamoDBStreamsClient;
  invoke: (event: DynamoDBStreamEvent, context: LambdaContext) => Promise<unknown>;
  /** The folder that holds the checkpoint file. */
  checkpoints: string;
};

type Tuned = {
  batchSize: number;
  batchWindowSeconds: number;
  /** -1 retries without end; anything else needs `onExhausted`. */
  maximumRetryAttempts: number;
  bisectBatchOnFunctionError: boolean;
  reportBatchItemFailures: boolean;
  /** Records it refuses invoke nothing; the checkpoint passes them. */
  filter: (record: DynamoDBRecord) => boolean;
  pollMilliseconds: number;
  retryDelay: (attempt: number) => number;
  functionTimeoutMilliseconds: number;
  /** Only watches: what it throws ends the process. */
  onInvocation: (invocation: Invocation) => void;
  clock: Clock;
  warn: (line: string) => void;
};

/** The on-failure destination; what it rejects is handed to it again, and nothing is passed before it has it. */
type Destination = { onExhausted?: (failure: Exhausted) => Promise<void> };

export type MappingOptions = Needed & Partial<Tuned> & Destination;
export type Settings = Needed & Tuned & Destination;

const defaults: Tuned = {
  batchSize: 100,
  batchWindowSeconds: 0,
  maximumRetryAttempts: -1,
  bisectBatchOnFunctionError: false,
  reportBatchItemFailures: true,
  filter: () => true,
  pollMilliseconds: 50,
  // Lambda's own curve is not documented; this one is for somebody who waits at a laptop.
  retryDelay: (attempt) => Math.min(50 * 2 ** (attempt - 1), 2_000),
  functionTimeoutMilliseconds: 30_000,
  onInvocation: () => {},
  clock: systemClock,
  warn: console.warn,
};

export function settle(options: MappingOptions): Settings {
  const settings: Settings = { ...defaults, ...options };
  const refuse = (what: string) => new Error(`[mapping ${options.name}] ${what}`);
  for (const [member, least, most] of limits) {
    const value = settings[member];
    const fits = value >= least && value <= most && (fractional.has(member) || Number.isInteger(value));
    if (!fits) throw refuse(`${member} is ${value}, and must lie in ${least} to ${most}`);
  }
  if (settings.maximumRetryAttempts >= 0 && !settings.onExhausted) {
    throw refuse(
      `maximumRetryAttempts is ${settings.maximumRetryAttempts}, but without onExhausted the records that ` +
        'exhaust them would be thrown away: give onExhausted, or retry without end (-1)',
    );
  }
  const warn = (line: string) => settings.warn(`[mapping ${options.name}] ${line}`);
  return { ...settings, warn };
}

// The first three are Lambda's own (API reference, CreateEventSourceMapping).
const limits = [
  ['batchSize', 1, 10_000],
  ['batchWindowSeconds', 0, 300],
  ['maximumRetryAttempts', -1, 10_000],
  ['functionTimeoutMilliseconds', 1, 900_000],
  ['pollMilliseconds', 1, 60_000],
] as const;
const fractional = new Set<string>(['batchWindowSeconds', 'pollMilliseconds']);
