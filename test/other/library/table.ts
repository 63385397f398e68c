/** A table that was there before Sluice: other names for everything, one of them a reserved word of DynamoDB. */
import { defineTable } from '../../../src/table/table.ts';

export const table = defineTable({
  pk: 'PK',
  sk: 'SK',
  type: 'entityType',
  version: 'rev',
  ttl: 'TTL',
  stamps: 'sluice:',
  indexes: { 'loans-by.State_2': { pk: 'GSI 1/PK', sk: 'GSI 1/SK' } },
});
