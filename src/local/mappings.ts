/** The event source mappings of a local run: every function behind its stream. */
import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { Context, DynamoDBStreamEvent } from 'aws-lambda';
import { writeFailure } from '../deliveries/failures.ts';
import type { FilterPattern } from '../pipeline/filter.ts';
import { eventSourceMapping } from './mapping/mapping.ts';
import type { MappingOptions } from './mapping/options.ts';
import { compilePattern } from './servers/pattern.ts';
import { localRegion } from './services.ts';
import type { StreamArns } from './tables.ts';

type FunctionName = 'project' | 'notify' | 'mail';
type Handler = (event: DynamoDBStreamEvent, context: Context) => Promise<unknown>;

/** `redrive` runs on a schedule, the others behind a stream. */
export type Handlers = Record<FunctionName, Handler> & {
  redrive(event: unknown, context: Context): Promise<unknown>;
  /** Takes what SES reports. */
  feedback(event: unknown, context: Context): Promise<unknown>;
};

/** A batch that a handler was given. */
export type Batch = { function: FunctionName; event: DynamoDBStreamEvent };

const settleMilliseconds = 30_000;

export type Mappings = Record<FunctionName, ReturnType<typeof eventSourceMapping>>;

type MappingParts = {
  handlers: Pick<Handlers, FunctionName>;
  /** Of the table's stream only what fits one of these is for the functions; all of it, where there are none. */
  ours: readonly FilterPattern[];
  streams: DynamoDBStreamsClient;
  streamArns: StreamArns;
  /** Holds the checkpoints. */
  folder: string;
  /** The on-failure destination. */
  failures: string;
  /** Gets every batch that was delivered. */
  batches: Batch[];
};

/** As deployed: the sender begins no mail shortly before its time is up. */
export const mailMilliseconds = 300_000;

/** As deployed (`deploy/functions.yml`): what a function fails so often goes to the on-failure destination. */
export function startMappings(parts: MappingParts): Mappings {
  const { handlers, ours, streams, streamArns, folder, failures, batches } = parts;
  const start = (name: FunctionName, streamArn: string, tuned: Partial<MappingOptions> = {}) => {
    const mapping = eventSourceMapping({
      name,
      streamArn,
      streams,
      region: localRegion,
      invoke: handlers[name],
      checkpoints: folder,
      pollMilliseconds: 15,
      onInvocation: ({ event }) => batches.push({ function: name, event }),
      ...tuned,
    });
    mapping.start();
    return mapping;
  };
  const filters = ours.map(compilePattern);
  const netted = (name: FunctionName, attempts: number): Partial<MappingOptions> => ({
    maximumRetryAttempts: attempts,
    bisectBatchOnFunctionError: true,
    onExhausted: ({ approximateInvokeCount: count, ...failure }) =>
      writeFailure(failures, { ...failure, functionName: name, count }),
  });
  const onTable = (name: FunctionName): Partial<MappingOptions> => ({
    ...netted(name, 8),
    filter: (record) => filters.length === 0 || filters.some((matches) => matches(record)),
  });
  return {
    project: start('project', streamArns.table, onTable('project')),
    notify: start('notify', streamArns.table, onTable('notify')),
    // A new row is news; what else is due, the schedule takes.
    mail: start('mail', streamArns.outbox, {
      ...netted('mail', 3),
      functionTimeoutMilliseconds: mailMilliseconds,
      filter: ({ eventName }) => eventName === 'INSERT',
    }),
  };
}

/** One function's writes can be another's stream: it is settled when a whole round has brought nothing. */
export async function settle(
  mappings: Mappings,
  batches: readonly Batch[],
  milliseconds = settleMilliseconds,
): Promise<void> {
  let behind: string[] = [];
  const rounds = async () => {
    for (let seen = -1; seen !== batches.length; ) {
      seen = batches.length;
      behind = Object.keys(mappings);
      for (const [name, mapping] of Object.entries(mappings)) {
        await mapping.drained();
        behind = behind.filter((other) => other !== name);
      }
    }
  };
  const timer = Promise.withResolvers<never>();
  const timeout = setTimeout(
    () => timer.reject(new Error(`Not settled after ${milliseconds / 1000} s: ${behind[0]} is behind.`)),
    milliseconds,
  );
  try {
    await Promise.race([rounds(), timer.promise]);
  } finally {
    clearTimeout(timeout);
  }
}
