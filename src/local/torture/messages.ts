/** What the torture and its child processes tell each other. */
import type { FilterPattern } from '../../pipeline/filter.ts';
import type { StreamArns } from '../tables.ts';

/** `functions`: the stream's Lambdas. `redrive`: what runs on a schedule. `mapping`: the event source mappings. */
export type Role = 'functions' | 'redrive' | 'mapping';

export type FunctionName = 'project' | 'notify' | 'mail' | 'feedback' | 'redrive';

/** What a child is told when it is born. */
export type Birth = {
  role: Role;
  /** The folder of the exported handlers, as a URL. */
  handlers: string;
  /** By how much its clock is ahead, milliseconds. */
  ahead: number;
  /** What of the table's stream is for the functions. */
  ours: readonly FilterPattern[];
  streamArns: StreamArns;
  /** Checkpoints, and below it the on-failure destination. */
  folder: string;
  /** Where the mappings invoke functions. */
  invokeUrl: string;
};

export type ToChild =
  | { type: 'begin' }
  | { type: 'ahead'; milliseconds: number }
  | { type: 'invoke'; id: number; name: FunctionName; event: unknown; remaining: number }
  | { type: 'drain'; id: number };

export type FromChild =
  | { type: 'ready' }
  | { type: 'answered'; id: number; answer: unknown }
  | { type: 'failed'; id: number; message: string };
