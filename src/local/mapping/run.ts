import type { Checkpoints } from './checkpoint.ts';
import type { Drains } from './drain.ts';
import type { Settings } from './options.ts';

/** Everything the parts of a running mapping share. */
export type Run = Omit<Settings, 'checkpoints'> & {
  checkpoints: Checkpoints;
  drains: Drains;
  /** Aborted by stop(). */
  signal: AbortSignal;
};
