/** Audit trail: every version once. A repeat is known by its hash; another content under one id is an alarm. */
import type { Sink, SinkFactory } from '../../pipeline/sink.ts';
import { putAbsent, type Row } from '../../table/putAbsent.ts';
import { rowLimits, rowSize } from '../../table/rowSize.ts';
import { planRow } from './plan.ts';

export const audit: SinkFactory = ({ connections, store }) => {
  const { dynamodb, config } = connections;
  const sink: Sink<Row> = {
    name: 'audit',
    kind: 'log',
    readsMisfits: true,
    plan: (change) => planRow(store.table, change),
    target: ({ pk, sk }) => `${pk} ${sk}`,
    limits: rowLimits,
    size: rowSize,
    send: (rows) => putAbsent(dynamodb, config.SLUICE_AUDIT_TABLE, rows),
  };
  return sink as Sink;
};
