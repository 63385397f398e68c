/** Audit trail: every version once. A repeat is known by its hash; another content under one id is an alarm. */
import type { Sink, SinkFactory } from '../../pipeline/sink.ts';
import { rights } from '../../rights.ts';
import type { Row } from '../../table/putAbsent.ts';
import { putSpread, rowLimits, spreadSize } from '../../table/rowSize.ts';
import { planRow } from './plan.ts';
import { readRows } from './row.ts';

export const audit: SinkFactory = ({ connections, store, replay }) => {
  const { dynamodb, config } = connections;
  const sink: Sink<Row> = {
    name: 'audit',
    kind: 'log',
    readsMisfits: true,
    rights: { send: rights('audit', 'dynamodb:PutItem', 'dynamodb:GetItem') },
    plan: (change) => planRow(store.table, change, replay),
    target: ({ pk, sk }) => `${pk} ${sk}`,
    show: (row) => readRows([row])[0],
    limits: rowLimits,
    size: spreadSize,
    send: (rows, signal) => putSpread(dynamodb, config.SLUICE_AUDIT_TABLE, rows, 'diff', signal),
  };
  return sink as Sink;
};
