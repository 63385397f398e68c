/** Chance from a seed: the same seed makes the same decisions; when they take effect, the machine decides. */
import { hash } from '../../table/canonical.ts';
import type { Chance } from '../play/step.ts';

/** `purpose`: each has chances of its own, so that one which asks more often changes nothing for the others. */
export function openRandom(seed: number, purpose: string): Chance {
  let state = Buffer.from(hash(`${seed} ${purpose}`), 'base64url').readInt32LE();
  // mulberry32, by Tommy Ettinger
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    chance: (probability) => next() < probability,
    between: (low, high) => low + next() * (high - low),
    pick(values) {
      const at = Math.floor(next() * values.length);
      if (values.length === 0) throw new Error(`There is nothing to pick for ${purpose}.`);
      return values[at] as (typeof values)[number];
    },
  };
}
