import { defineTable } from '../table/table.ts';

export const table = defineTable({
  pk: 'pk',
  sk: 'sk',
  type: '_type',
  version: 'version',
  indexes: {
    gsi1: { pk: 'gsi1pk', sk: 'gsi1sk' },
    gsi2: { pk: 'gsi2pk', sk: 'gsi2sk' },
    gsi3: { pk: 'gsi3pk', sk: 'gsi3sk' },
  },
});
