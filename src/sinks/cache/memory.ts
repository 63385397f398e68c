/** The cache in memory: one process, the same promises as Redis. */
import { randomUUID } from 'node:crypto';
import { type CachePort, tokenMilliseconds } from './port.ts';

type Slot = { value?: string; token?: string; until: number };

export function memoryCache(now: () => number = Date.now): CachePort {
  const slots = new Map<string, Slot>();
  const current = (key: string) => {
    const slot = slots.get(key);
    if (slot !== undefined && slot.until <= now()) slots.delete(key);
    return slots.get(key);
  };
  return {
    async read(key) {
      const slot = current(key);
      if (slot?.value !== undefined) return { value: slot.value };
      if (slot?.token !== undefined) return { token: slot.token };
      const token = randomUUID();
      slots.set(key, { token, until: now() + tokenMilliseconds });
      return { token };
    },
    async fill(key, token, value, milliseconds) {
      if (current(key)?.token !== token || milliseconds <= 0) return false;
      slots.set(key, { value, until: now() + milliseconds });
      return true;
    },
    async invalidate(keys) {
      return keys.map((key) => {
        slots.delete(key);
        return true;
      });
    },
    async peek(key) {
      return current(key)?.value;
    },
    async close() {
      slots.clear();
    },
  };
}
