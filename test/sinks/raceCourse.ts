/** What the processes of a race are told, and what they tell. */

export type Course = {
  role: 'writer' | 'readers';
  /** Tokens, or get, set and del as a cache is often used. */
  way: 'tokens' | 'plain';
  cache: string;
  table: number;
  rounds: number;
};

/** `tooOld`: answers that were older than what had been told before the reader began. */
export type Seen = { reads: number; loads: number; tooOld: number };

export const keysOf = (round: number) => Array.from({ length: 4 }, (_, nth) => `lamp${round}:${nth}`);
