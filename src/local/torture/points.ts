/** Where a process is killed: right before one effect, or right after it, when nobody knows yet that it took place. */
import type { Chance } from '../play/step.ts';
import type { Moment } from './gate.ts';
import type { Role } from './messages.ts';

export type Points = ReturnType<typeof openPoints>;

/** Knows what the processes do to the world, and which is to die at what: one at a time, and each once. */
export function openPoints(random: Chance) {
  const seen = new Map<Role, Set<string>>();
  let wanted: { role: Role; label: string; moment: Moment; hit(): void } | undefined;
  return {
    /** Lets a process die at one of the points that it has come by. Settles with whether it did before `timeUp`. */
    async killAtOne(role: Role, timeUp: Promise<unknown>): Promise<boolean> {
      const labels = [...(seen.get(role) ?? [])].sort();
      if (labels.length === 0) return false;
      const { promise, resolve } = Promise.withResolvers<true>();
      const moment = random.pick(['before', 'after'] as const);
      wanted = { role, label: random.pick(labels), moment, hit: () => resolve(true) };
      const reached = await Promise.race([promise, timeUp.then(() => false)]);
      wanted = undefined;
      return reached;
    },
    /** Whether a process of this role is to die here. */
    reached(role: Role, label: string, moment: Moment): boolean {
      seen.set(role, (seen.get(role) ?? new Set()).add(label));
      if (wanted?.role !== role || wanted.label !== label || wanted.moment !== moment) return false;
      wanted.hit();
      wanted = undefined;
      return true;
    },
  };
}
