/** What a comparison of one sink with the table found, each entry naming what is wrong and where. */
import { encodeItem } from '../../table/attributes.ts';
import { sameAttribute } from '../../table/canonical.ts';
import type { Fields } from '../../table/entity.ts';

export type Finding = {
  missing: string[];
  stale: string[];
  doubled: string[];
  /** How many were left out: a replay has brought them, and the table's stream never showed their change. */
  replayed: number;
};

export function nothing(): Finding {
  return { missing: [], stale: [], doubled: [], replayed: 0 };
}

export function joined(findings: readonly Finding[]): Finding {
  return {
    missing: findings.flatMap(({ missing }) => missing),
    stale: findings.flatMap(({ stale }) => stale),
    doubled: findings.flatMap(({ doubled }) => doubled),
    replayed: findings.reduce((sum, { replayed }) => sum + replayed, 0),
  };
}

/** The names of the fields that are not the same in both; absent and null are two things. */
export function differing(one: Fields, other: Fields): string[] {
  const [left, right] = [encodeItem(one), encodeItem(other)];
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].sort().filter((name) => !sameAttribute(left[name], right[name]));
}

export function counted<Value>(values: readonly Value[]): Map<Value, number> {
  const counts = new Map<Value, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
