/** For `npm test`, which tells at its end which real servers were tested. */
import { beforeEach } from 'vitest';
import { hasRealTables } from './dynamodb.ts';

beforeEach(({ task }) => {
  if (hasRealTables()) Object.assign(task.meta, { realServer: { name: 'dynamodb' } });
});
