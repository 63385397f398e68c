/** Email: the sink only puts rows into the outbox, one per (change, email); the one sender sends them. */
import { queueOf } from '../../deliveries/rows.ts';
import { type MailRow, mailQueue, tagOf } from '../../mail/row.ts';
import type { Sink, SinkFactory } from '../../pipeline/sink.ts';
import { rights } from '../../rights.ts';
import { canonicalJson, hash } from '../../table/canonical.ts';
import { type Change, versionText } from '../../table/change.ts';
import { eventsOf } from '../../table/events.ts';
import { plainJson } from '../../table/json.ts';
import { putAbsent } from '../../table/putAbsent.ts';
import { rowLimits, rowSize } from '../../table/rowSize.ts';

export const email: SinkFactory = ({ connections, replay }) => {
  const { dynamodb, config } = connections;
  const sink: Sink<MailRow> = {
    name: 'email',
    kind: 'act',
    rights: { send: rights('outbox', 'dynamodb:PutItem') },
    plan: (change) => planRows(change, replay),
    target: ({ pk }) => pk,
    limits: rowLimits,
    size: rowSize,
    send: (rows, signal) => putAbsent(dynamodb, config.SLUICE_OUTBOX_TABLE, rows, signal),
  };
  return sink as Sink;
};

/** `replay`: the row says that a person has asked for it; a row that is there already stays as it is. */
export function planRows(change: Change, replay = false): MailRow[] {
  const happened = new Set(eventsOf(change).map(({ name }) => name));
  const item = change.after ?? change.before ?? {};
  const fields = plainJson(pick(item, Object.keys(change.entity.schema.shape))) as Record<string, unknown>;
  return Object.entries(change.entity.emails)
    .filter(([, { on }]) => happened.has(on))
    .map(([name, { policy, to, maxAgeHours }]) => {
      // Version order within the item: the sender takes them so.
      const place = {
        pk: change.item,
        sk: `${versionText(change.version)}/${change.id.slice(change.id.lastIndexOf('/') + 1)}/${name}`,
      };
      return {
        ...place,
        tag: tagOf(place),
        // Of nothing that a later deployment can declare otherwise: the mail would be the same one all the same.
        hash: hash(canonicalJson({ change: change.id, email: name })),
        change: change.id,
        entity: change.entity.name,
        email: name,
        policy,
        occurredAt: change.occurredAt,
        ...limits(change, maxAgeHours),
        state: 'waiting',
        ...(replay && { replay: true as const }),
        to: to(item),
        item: fields,
      };
    });
}

const defaultAgeHours = 12;

/** When the row is due, which is at once, and until when it may go out. */
function limits(
  { item, occurredAt }: Change,
  hours = defaultAgeHours,
): Pick<MailRow, 'due' | 'queue' | 'sendBefore'> {
  const at = Date.parse(occurredAt);
  return { queue: queueOf(mailQueue, item), due: at, ...(at > 0 && { sendBefore: at + hours * 3_600_000 }) };
}

function pick(item: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(item, name)).map((name) => [name, item[name]]),
  );
}
