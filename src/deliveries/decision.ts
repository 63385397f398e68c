/** A row of the audit trail that says what a person decided, of which item, and why. It is no change. */
import { hash } from '../table/canonical.ts';
import type { Fields } from '../table/entity.ts';
import type { Row } from '../table/putAbsent.ts';

/** The kinds of these rows; those of changes are others. */
export const decisionKinds = ['discarded', 'mailSettled', 'addressAllowed'] as const;

export type Reason = { by: string; reason: string };

/** `what` was decided about: its name is kept under the row's kind. `now`: epoch milliseconds. */
export function decisionRow(
  kind: (typeof decisionKinds)[number],
  item: string,
  what: string,
  now: number,
  { by, reason, ...fields }: Reason & Fields,
): Row {
  const id = hash(`${fields.sink ?? ''} ${what}`);
  return {
    pk: item,
    // Below the changes, whose keys begin with a version; the same could be decided again one day.
    sk: `!${kind}/${now}/${id}`,
    hash: id,
    kind,
    [kind]: what,
    ...fields,
    actor: by,
    reason,
    occurredAt: new Date(now).toISOString(),
  };
}
