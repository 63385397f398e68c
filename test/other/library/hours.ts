/** Only cached. */
import * as z from 'zod/mini';
import { defineEntity } from '../../../src/table/entity.ts';

export const hours = defineEntity({
  name: 'opening hours',
  schema: z.object({
    branch: z.string().check(z.minLength(1)),
    day: z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']),
    opens: z.int(),
    closes: z.int(),
  }),
  key: { pk: 'BRANCH#{branch}', sk: 'HOURS#{day}', from: 'natural' },
  cache: ({ branch }) => [`hours:${branch}`],
});
