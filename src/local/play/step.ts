import type { Store } from '../../table/store.ts';

/** One step of a day: what happens, and the writes that make it happen. */
export type Step = { title: string; play(store: Store): Promise<void> };
