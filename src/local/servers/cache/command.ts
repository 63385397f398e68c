import type { Reply } from './resp.ts';

/** The fewest and the most arguments that it takes, and what it does. */
export type Command = [least: number, most: number, run: (...args: Buffer[]) => Reply];

export const unlimited = Number.POSITIVE_INFINITY;
