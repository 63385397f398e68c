import { openCheckpoints } from './checkpoint.ts';
import { bell } from './clock.ts';
import { drainWatch } from './drain.ts';
import { type MappingOptions, settle } from './options.ts';
import { followStream } from './shards.ts';

/**
 * Lambda's event source mapping for DynamoDB Streams, in this process: reads the stream from its oldest record on
 * and invokes the function with real Lambda events, each record at least once, each shard in its order.
 */
export function eventSourceMapping(options: MappingOptions) {
  const settings = settle(options);
  const stopping = new AbortController();
  const alarm = bell(settings.clock);
  const drains = drainWatch(alarm.ring);
  let running: Promise<void> | undefined;

  return {
    /** Throws when the checkpoint file cannot be read. */
    start(): void {
      if (running || stopping.signal.aborted)
        throw new Error(`[mapping ${settings.name}] was started before`);
      const { name, streamArn, checkpoints: folder, warn } = settings;
      const checkpoints = openCheckpoints({ folder, name, streamArn, warn });
      running = followStream({ ...settings, checkpoints, drains, signal: stopping.signal }, alarm);
    },
    /** Resolves when every record that is in the stream now has been processed and checkpointed. */
    drained: (): Promise<void> => drains.drained(),
    /** Waits for the invocation in flight and its checkpoint. What was read but not invoked is read again. */
    async stop(): Promise<void> {
      stopping.abort();
      alarm.ring();
      await running;
      drains.close(new Error(`[mapping ${settings.name}] was stopped before the stream was drained`));
    },
  };
}
